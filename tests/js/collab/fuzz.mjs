// A differential fuzz against yjs: three clients edit at random, their updates arrive in any order,
// everybody leaves half-way and comes back, and what the server has in the end is what yjs has.
//
// Positions are random, so edits also fall between the halves of an emoji.

import WebSocket from "ws";
import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";
import * as Y from "yjs";
import { until } from "./client.mjs";
import { given } from "./stage.mjs";

const CLIENTS = 3;
const EDITS = 40;
const TEXTS = ["a", "bc", "é", "😀", "👩‍👩‍👧", "x😀y", "日本"];

/** A small generator of random numbers, so that a seed says everything. */
function dice(seed) {
  let state = seed * 2654435761 + 1;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 3266489917) | 0;
    return ((state ^ (state >>> 13)) >>> 0) % below;
  };
}

class Client {
  constructor(name, id) {
    this.name = name;
    this.doc = new Y.Doc();
    this.doc.clientID = id;
    this.outgoing = [];
    this.acknowledged = 0;
    this.sent = 0;
    this.doc.on("update", (update, origin) => origin === this || this.outgoing.push(update));
  }

  async open() {
    this.socket = new WebSocket(given.url);
    this.socket.binaryType = "arraybuffer";
    this.isSynced = false;
    await new Promise((resolve, reject) => this.socket.on("open", resolve).on("error", reject));
    this.socket.on("message", (data) => this.hear(new Uint8Array(data)));
    this.send(2, (encoder) => {
      encoding.writeVarUint(encoder, 0);
      encoding.writeVarString(encoder, "1,good");
    });
    this.sync(0, Y.encodeStateVector(this.doc));
    await until(() => this.isSynced, "a client is synced");
  }

  send(type, write) {
    const encoder = encoding.createEncoder();
    encoding.writeVarString(encoder, this.name);
    encoding.writeVarUint(encoder, type);
    write(encoder);
    this.socket.send(encoding.toUint8Array(encoder));
  }

  sync(step, payload) {
    if (step > 0) this.sent += 1;
    this.send(0, (encoder) => {
      encoding.writeVarUint(encoder, step);
      encoding.writeVarUint8Array(encoder, payload);
    });
  }

  hear(data) {
    const decoder = decoding.createDecoder(data);
    decoding.readVarString(decoder);
    const type = decoding.readVarUint(decoder);
    if (type === 8) this.acknowledged += decoding.readVarUint(decoder);
    if (type !== 0) return;
    const step = decoding.readVarUint(decoder);
    const payload = decoding.readVarUint8Array(decoder);
    if (step === 0) this.sync(1, Y.encodeStateAsUpdate(this.doc, payload));
    else Y.applyUpdate(this.doc, payload, this);
    if (step === 1) this.isSynced = true;
  }

  /** Send what waits, in any order. */
  flush(roll) {
    while (this.outgoing.length) {
      const [update] = this.outgoing.splice(roll(this.outgoing.length), 1);
      this.sync(2, update);
    }
  }

  get isAccepted() {
    return this.acknowledged === this.sent;
  }

  async leave() {
    const closed = new Promise((resolve) => this.socket.on("close", resolve));
    this.socket.close();
    await closed;
  }
}

/** yjs splits a pair even if there is nothing to format, and tells nobody. */
function beforePair(text, start) {
  const unit = text.toString().charCodeAt(start);
  return start - (unit >= 0xdc00 && unit < 0xe000 ? 1 : 0);
}

function edit(doc, roll) {
  const text = doc.getText("text");
  const xml = doc.getXmlFragment("default");
  const map = doc.getMap("config");
  const at = (length) => roll(length + 1);
  const some = () => TEXTS[roll(TEXTS.length)];
  switch (roll(9)) {
    case 0: case 1: case 2: return text.insert(at(text.length), some());
    case 3: if (text.length) { const start = roll(text.length); text.delete(start, Math.min(1 + roll(3), text.length - start)); } return undefined;
    case 4: if (text.length) { const start = beforePair(text, roll(text.length)); text.format(start, text.length - start, { bold: roll(2) ? true : null }); } return undefined;
    case 5: return map.set(`key ${roll(3)}`, [true, null, some(), 2 ** 40, { nested: [some()] }, new Uint8Array([1, 2])][roll(6)]);
    case 6: {
      const paragraph = new Y.XmlElement(["paragraph", "heading"][roll(2)]);
      paragraph.setAttribute("level", some());
      return xml.insert(at(xml.length), [paragraph]);
    }
    case 7: if (xml.length) {
      const inner = new Y.XmlText(some());
      const paragraph = xml.get(roll(xml.length));
      if (paragraph instanceof Y.XmlElement) paragraph.insert(at(paragraph.length), [inner]);
    } return undefined;
    default: if (xml.length) xml.delete(roll(xml.length), 1); return undefined;
  }
}

const content = (doc) => JSON.stringify([
  doc.getText("text").toDelta(),
  doc.getXmlFragment("default").toString(),
  Object.entries(doc.getMap("config").toJSON()).sort(([a], [b]) => (a < b ? -1 : 1)),
  [...Y.decodeStateVector(Y.encodeStateVector(doc))].sort(([a], [b]) => a - b),
]);

async function fuzz(seed) {
  const roll = dice(seed);
  const name = `fuzz-${seed}`;
  const clients = Array.from({ length: CLIENTS }, (_, index) => new Client(name, 10 * seed + index + 1));
  const reference = new Y.Doc();
  for (const { doc } of clients) doc.on("update", (update) => Y.applyUpdate(reference, update));
  for (const client of clients) await client.open();
  for (let count = 0; count < EDITS; count += 1) {
    const client = clients[roll(CLIENTS)];
    edit(client.doc, roll);
    if (roll(4) === 0) client.flush(roll);
    if (roll(8) === 0) await new Promise((resolve) => setImmediate(resolve));
    if (count === EDITS / 2) {
      for (const each of clients) each.flush(roll);
      await until(() => clients.every((each) => each.isAccepted), "all is accepted");
      for (const each of clients) await each.leave();
      for (const each of clients) await each.open();
    }
  }
  const isAllAccepted = () => {
    // yjs removes what is superfluous in a format when others' edits arrive: that is to be sent, too.
    for (const client of clients) client.flush(roll);
    return clients.every((client) => client.isAccepted);
  };
  await until(isAllAccepted, "all is accepted");
  const late = new Client(name, 10 * seed + 9);
  await late.open();
  const expected = content(reference);
  const wrong = () => [...clients, late].filter(({ doc }) => content(doc) !== expected);
  await until(() => isAllAccepted() && !wrong().length, `seed ${seed}: all have what yjs has`).catch((error) => {
    for (const { doc } of wrong()) console.error(content(doc), "instead of", expected);
    throw error;
  });
  for (const client of [...clients, late]) await client.leave();
}

export const scenarios = {
  async fuzz() {
    for (let seed = given.first; seed < given.first + given.count; seed += 1) await fuzz(seed);
    return given.count;
  },
};
