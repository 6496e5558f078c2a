// Load for a server of documents: clients that speak the protocol, with updates of real yjs.
//
//   node load.mjs '{"port": 4444, "app": 7000}'
//
// Answers for the application on port `app`. Reads one order a line, such as {"do": "work"}, and
// prints {"done": ...} when the server has answered everything.

import { createServer } from "node:http";
import { createInterface } from "node:readline";
import WebSocket from "ws";
import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";
import * as Y from "yjs";

const { port, app } = JSON.parse(process.argv[2]);
const url = `ws://127.0.0.1:${port}`;
const everybodyMay = createServer((request, response) => request.resume().on("end", () => response.end()));
await new Promise((resolve) => everybodyMay.listen(app, "127.0.0.1", resolve));

const SYNC = 0, AWARENESS = 1, AUTH = 2, CLOSE = 7, STATUS = 8;

class Socket {
  constructor() {
    this.seats = new Map();
  }

  async open() {
    this.socket = new WebSocket(url);
    this.socket.on("message", (data) => this.hear(new Uint8Array(data)));
    await new Promise((resolve, reject) => this.socket.on("open", resolve).on("error", reject));
    return this;
  }

  hear(data) {
    const decoder = decoding.createDecoder(data);
    this.seats.get(decoding.readVarString(decoder))?.hear(decoder);
  }
}

/** One client at one document: counts what it is told. */
class Seat {
  constructor(socket, name, id) {
    this.socket = socket.socket;
    this.name = name;
    this.id = id;
    this.clock = 0;
    this.counts = new Map();
    this.waiting = [];
    this.head = encoding.encode((encoder) => encoding.writeVarString(encoder, name));
    socket.seats.set(name, this);
  }

  hear(decoder) {
    let kind = decoding.readVarUint(decoder);
    if (kind === SYNC) kind = `sync ${decoding.readVarUint(decoder)}`;
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.waiting = this.waiting.filter((wait) => !wait());
  }

  heard(kind, many) {
    if ((this.counts.get(kind) ?? 0) >= many) return Promise.resolve();
    return new Promise((resolve) => {
      this.waiting.push(() => (this.counts.get(kind) ?? 0) >= many && (resolve(), true));
    });
  }

  say(type, write) {
    this.socket.send(Buffer.concat([this.head, encoding.encode((encoder) => {
      encoding.writeVarUint(encoder, type);
      write(encoder);
    })]));
  }

  sync(step, payload) {
    this.say(SYNC, (encoder) => {
      encoding.writeVarUint(encoder, step);
      encoding.writeVarUint8Array(encoder, payload);
    });
  }

  async join() {
    this.say(AUTH, (encoder) => {
      encoding.writeVarUint(encoder, 0);
      encoding.writeVarString(encoder, "1,good");
    });
    this.sync(0, new Uint8Array([0]));
    await this.heard("sync 1", 1);
    return this;
  }

  move() {
    this.clock += 1;
    const state = encoding.encode((encoder) => {
      encoding.writeVarUint(encoder, 1);
      encoding.writeVarUint(encoder, this.id);
      encoding.writeVarUint(encoder, this.clock);
      encoding.writeVarString(encoder, JSON.stringify({ user: { name: `user ${this.id}`, color: "#f783ac" }, cursor: this.clock }));
    });
    this.say(AWARENESS, (encoder) => encoding.writeVarUint8Array(encoder, state));
  }
}

const keystrokes = (id, many) => {
  const doc = new Y.Doc();
  doc.clientID = id;
  const updates = [];
  doc.on("update", (update) => updates.push(update));
  const text = doc.getText("text");
  for (let count = 0; count < many; count += 1) text.insert(text.length, count % 6 ? "x" : " ");
  return updates;
};

const kept = [];

const orders = {
  /** Documents with four people each, who type and move, each at the pace of the server. */
  async work({ documents, clients, edits }) {
    const seats = await Promise.all(Array.from({ length: clients }, async (_, index) =>
      new Seat(await new Socket().open(), `work-${index % documents}`, index + 1).join()));
    await Promise.all(seats.map(async (seat) => {
      let accepted = 0;
      for (const update of keystrokes(seat.id, edits)) {
        seat.sync(2, update);
        seat.move();
        accepted += 1;
        await seat.heard(STATUS, accepted);
      }
    }));
    const perDocument = clients / documents;
    await Promise.all(seats.map((seat) => seat.heard("sync 2", edits * perDocument)));
    kept.push(seats);
  },

  /** A document of single keystrokes, with one client that stays. */
  async type({ name, many }) {
    const seat = await new Seat(await new Socket().open(), name, 1).join();
    const updates = keystrokes(1, many);
    for (let start = 0; start < many; start += 500) {
      for (const update of updates.slice(start, start + 500)) seat.sync(2, update);
      await seat.heard(STATUS, Math.min(start + 500, many));
    }
    kept.push(seat);
  },

  async join({ name, many }) {
    for (let count = 0; count < many; count += 1) {
      const socket = await new Socket().open();
      await new Seat(socket, name, 1).join();
      const closed = new Promise((resolve) => socket.socket.on("close", resolve));
      socket.socket.close();
      await closed;
    }
  },

  /** Many documents of a sentence each, all on one socket. */
  async documents({ many, from = 0, leave = false }) {
    const socket = await new Socket().open();
    const [sentence] = keystrokes(7, 1);
    for (let start = from; start < from + many; start += 50) {
      await Promise.all(Array.from({ length: Math.min(50, from + many - start) }, async (_, index) => {
        const seat = await new Seat(socket, `document-${start + index}`, 7).join();
        seat.sync(2, sentence);
        await seat.heard(STATUS, 1);
        if (leave) {
          seat.say(CLOSE, () => {});
          await seat.heard(CLOSE, 1);
          socket.seats.delete(seat.name);
        }
      }));
    }
    if (leave) socket.socket.close();
    else kept.push(socket);
  },

  /** Somebody asks for a long document again and again; how long does somebody else wait for an echo? */
  async storm({ name, many }) {
    const hog = await new Seat(await new Socket().open(), name, 1).join();
    const bystander = await new Seat(await new Socket().open(), "quiet", 2).join();
    let longest = 0;
    for (let count = 0; count < many; count += 1) hog.sync(0, new Uint8Array([1, 5, 1]));
    for (let echoes = 1; (hog.counts.get("sync 1") ?? 0) <= many; echoes += 1) {
      const started = performance.now();
      bystander.move();
      await bystander.heard(AWARENESS, echoes);
      longest = Math.max(longest, performance.now() - started);
    }
    hog.socket.close();
    bystander.socket.close();
    return longest;
  },

  async sockets({ many }) {
    for (let start = 0; start < many; start += 50) {
      kept.push(await Promise.all(Array.from({ length: 50 }, async () => {
        const socket = await new Socket().open();
        return new Seat(socket, "everybody", 1).join();
      })));
    }
  },
};

process.stdout.write('{"done": "start"}\n');
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  const result = await orders[order.do](order);
  process.stdout.write(`${JSON.stringify({ done: order.do, result })}\n`);
}
process.exit(0);
