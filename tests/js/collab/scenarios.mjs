// What people do with documents, step by step: told by two servers, it has to be the same.

import * as Y from "yjs";
import { until } from "./client.mjs";
import { frames } from "./frames.mjs";
import { NAME, equal, given, join, order, provider, told } from "./stage.mjs";

export const scenarios = {
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

  /** Clients renew their states every 15 s: whoever is seen only then was gone for so long. */
  async "carets after a restart"() {
    const clients = await Promise.all([1, 2, 3, 4, 5, 6].map((id) => join(id).synced()));
    for (const { id, provider } of clients) provider.setAwarenessField("user", { name: `${id}` });
    const seen = () => clients.map(({ provider }) => [...provider.awareness.getStates().values()].filter(({ user }) => user).length);
    const all = () => seen().every((count) => count === clients.length);
    await until(all, "all see all");
    await order("stop");
    await until(() => clients.every(({ provider }) => !provider.isSynced), "all are offline");
    await order("start");
    await until(() => clients.every(({ provider }) => provider.isSynced), "all are back");
    await until(all, "all see all again", 5_000);
    return seen();
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
    const socket = new provider.HocuspocusProviderWebsocket({ url: given.url });
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

  "raw frames": () => frames(given.url, given.expected),
};
