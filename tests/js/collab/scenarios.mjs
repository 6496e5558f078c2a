// What people do with documents, step by step, and what each client was told meanwhile.
//
//   node scenarios.mjs '{"scenario": "edit", "provider": "3", "url": "ws://127.0.0.1:4444"}'
//
// Prints {"order": "restart"} when it wants the server to be restarted and waits for a line; at the
// end {"told": ...}, which is the same for two servers that speak the same protocol.

import { createInterface } from "node:readline";
import * as Y from "yjs";
import { Client, until } from "./client.mjs";
import { frames } from "./frames.mjs";

// yjs says on standard output what it does not like; that is for people.
for (const method of ["log", "info", "warn"]) console[method] = console.error;

// Provider 2 throws when it is told to come again, with any server; in a browser nothing happens.
process.on("uncaughtException", (error) => {
  if (!error.message.endsWith("unknown type: 7")) throw error;
});

const { scenario, provider: version, url, expected } = JSON.parse(process.argv[2]);
const provider = await import(`@hocuspocus/provider-${version}`);

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

async function order(what) {
  print({ order: what });
  await lines.next();
}

const NAME = `${scenario}-${version}`;
const join = (id, options) => new Client(provider, url, { id, name: NAME, ...options });
const told = (...clients) =>
  clients.map(({ id, events, trace, text }) => ({ id, events, trace, text: text.toString() }));

/** All clients have what all have written. */
async function equal(...clients) {
  const text = () => new Set(clients.map((client) => client.text.toString()));
  await until(() => text().size === 1, "all have the same text");
  // Provider 2 forgets how much is unsynced when its socket breaks: what counts is that it is read.
  await until(() => clients.every((client) => client.provider.isSynced), "all are synced");
  for (const client of clients) await client.settled();
}

const scenarios = {
  async join() {
    const ann = await join(1).synced();
    await ann.settled();
    return told(ann);
  },

  async edit() {
    const ann = await join(1).synced();
    ann.text.insert(0, "héllo 😀");
    await ann.synced();
    ann.text.delete(0, 2);
    await ann.synced();
    await ann.settled();
    return told(ann);
  },

  async "second client"() {
    const ann = await join(1).synced();
    ann.text.insert(0, "first");
    await ann.synced();
    const ben = await join(2).synced();
    await equal(ann, ben);
    ben.text.insert(5, ", second");
    await equal(ann, ben);
    await ann.settled();
    await ben.settled();
    return told(ann, ben);
  },

  async awareness() {
    const ann = await join(1).synced();
    const ben = await join(2).synced();
    const states = [];
    ann.provider.setAwarenessField("user", { name: "Ann 😀", color: "#f783ac" });
    await until(() => ben.provider.awareness.getStates().get(1)?.user, "Ben sees Ann");
    states.push(ben.provider.awareness.getStates().get(1));
    const cem = await join(3).synced();
    await until(() => cem.provider.awareness.getStates().get(1)?.user, "Cem sees Ann");
    states.push(cem.provider.awareness.getStates().get(1));
    ann.leave();
    await until(() => !ben.provider.awareness.getStates().has(1), "Ben sees Ann go");
    await ben.settled();
    return [states, [...ben.provider.awareness.getStates().keys()].sort()];
  },

  async "hundred edits at once"() {
    const clients = await Promise.all([1, 2, 3, 4].map((id) => join(id).synced()));
    for (let round = 0; round < 25; round += 1) {
      for (const client of clients) {
        client.text.insert(round % (client.text.length + 1), `${client.id}😀`);
      }
      if (round % 5 === 0) await clients[0].settled();
    }
    await equal(...clients);
    for (const client of clients) await client.settled();
    const counts = clients.map((client) => [client.count("update"), client.count("status")]);
    return [clients[0].text.length, counts];
  },

  async undo() {
    const ann = await join(1).synced();
    const undo = new Y.UndoManager(ann.text);
    ann.text.insert(0, "kept");
    undo.stopCapturing();
    ann.text.insert(4, " dropped");
    await ann.synced();
    undo.undo();
    await ann.synced();
    undo.redo();
    undo.undo();
    await ann.synced();
    const ben = await join(2).synced();
    await equal(ann, ben);
    await ann.settled();
    return told(ann, ben);
  },

  async "dropped socket"() {
    const ann = await join(1).synced();
    const ben = await join(2).synced();
    ann.text.insert(0, "before ");
    await equal(ann, ben);
    ann.drop();
    await until(() => !ann.provider.isSynced, "Ann is offline");
    ann.text.insert(7, "offline");
    ben.text.insert(0, "meanwhile ");
    await equal(ann, ben);
    await ann.settled();
    await ben.settled();
    return told(ann, ben).map(({ text, trace }) => [text, trace]);
  },

  async restart() {
    const ann = await join(1).synced();
    const ben = await join(2).synced();
    ann.text.insert(0, "before ");
    await equal(ann, ben);
    await order("stop");
    await until(() => !ann.provider.isSynced && !ben.provider.isSynced, "both are offline");
    ann.text.insert(7, "Ann ");
    ben.text.insert(7, "Ben ");
    await order("start");
    await equal(ann, ben);
    return [ann.text.toString()];
  },

  async "unload and reload"() {
    const ann = await join(1).synced();
    ann.text.insert(0, "kept");
    ann.doc.getMap("config").set("initialContentLoaded", true);
    await ann.synced();
    ann.leave();
    const ben = await join(2).synced();
    await ben.settled();
    return [told(ben), ben.doc.getMap("config").toJSON()];
  },

  async "rejected token"() {
    const ann = join(1, { token: "1,bad" });
    await until(() => ann.count("denied") === 1, "Ann is denied");
    const ben = await join(2).synced();
    await ben.settled();
    return told(ann, ben).map(({ trace }) => trace);
  },

  async "read only"() {
    const ann = await join(1).synced();
    ann.text.insert(0, "Ann");
    await ann.synced();
    const ben = join(2, { token: "2,readonly" });
    await until(() => ben.provider.isSynced && ben.text.length === 3, "Ben reads");
    ben.text.insert(0, "Ben ");
    await until(() => ben.wire.some(([, kind, ok]) => kind === "status" && !ok), "Ben may not write");
    ann.text.insert(3, " goes on");
    await until(() => ben.text.length === 15, "Ben reads on");
    await ann.settled();
    await ben.settled();
    return told(ann, ben);
  },

  async "several documents"() {
    const socket = new provider.HocuspocusProviderWebsocket({ url });
    const one = await join(1, { name: `${NAME}-1`, socket }).synced();
    const two = await join(2, { name: `${NAME}-2`, socket }).synced();
    const bad = join(3, { name: `${NAME}-3`, token: "1,bad", socket });
    await until(() => bad.count("denied") === 1, "the third is denied");
    one.text.insert(0, "one");
    two.text.insert(0, "two");
    await one.synced();
    await two.synced();
    one.provider.destroy();
    two.text.insert(3, " goes on");
    await two.synced();
    await two.settled();
    const all = told(one, two).map(({ trace, text }) => [text, trace]);
    socket.destroy();
    return all;
  },

  "raw frames": () => frames(url, expected),
};

const result = await scenarios[scenario]();
process.stdout.write(`${JSON.stringify({ told: result })}\n`, () => process.exit(0));
