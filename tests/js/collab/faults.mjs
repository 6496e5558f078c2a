// What people do while something breaks. The orders are carried out by the test.

import { until } from "./client.mjs";
import { equal, given, join, order, provider } from "./stage.mjs";

/** Client ids are random in life; here a client that comes again must not look like another. */
const leaveAll = (...clients) => clients.forEach((client) => client.leave());

/** The server comes back, and nobody who could bring the text: what does it have? */
async function whatIsLeft(...writers) {
  leaveAll(...writers);
  await order("start");
  const late = await join(9).synced();
  return late.text.toString();
}

export const scenarios = {
  /** Accepted is stored: the server dies, and with it everybody who could bring the text back. */
  async "killed after accepting"() {
    const ann = await join(1).synced();
    ann.text.insert(0, "accepted");
    await ann.synced();
    await order("kill");
    return whatIsLeft(ann);
  },

  async "killed before storing"() {
    const ann = await join(1).synced();
    ann.text.insert(0, "stored ");
    await ann.synced();
    await order("until stored");
    ann.text.insert(7, "not yet");
    await ann.synced();
    await order("kill");
    return whatIsLeft(ann);
  },

  async "stopped before storing"() {
    const ann = await join(1).synced();
    ann.text.insert(0, "pending");
    await ann.synced();
    const ended = await order("stop");
    return [ended, await whatIsLeft(ann)];
  },

  async "a store that fails"() {
    const ann = await join(1).synced();
    await order("break");
    ann.text.insert(0, "not stored, ");
    await ann.synced();
    await order("until degraded");
    ann.leave();
    const ben = await join(2).synced();
    ben.text.insert(12, "not dropped");
    await ben.synced();
    await order("mend");
    ben.leave();
    await order("until ok");
    await order("stop");
    return whatIsLeft();
  },

  async "a document that cannot be loaded"() {
    const ann = join(1, { name: "broken" });
    await until(() => ann.count("denied") === 1, "the broken document is denied");
    const ben = await join(2, { name: "whole" }).synced();
    ben.text.insert(0, "works");
    await ben.synced();
    leaveAll(ann, ben);
    return ben.text.toString();
  },

  async "two nodes"() {
    const [ann, ben] = [join(1), join(2, { url: given.other })];
    await equal(ann, ben);
    ann.text.insert(0, "Ann 😀 ");
    await equal(ann, ben);
    ben.text.insert(ben.text.length, "Ben");
    await equal(ann, ben);
    ann.provider.setAwarenessField("user", { name: "Ann" });
    await until(() => ben.provider.awareness.getStates().get(1)?.user, "Ben sees Ann");
    // Not stored yet: it has to come from the node of the others.
    const cem = await join(3, { url: given.other }).synced();
    const seen = cem.text.toString();
    await until(() => cem.provider.awareness.getStates().get(1)?.user, "Cem sees Ann");
    ann.leave();
    await until(() => !ben.provider.awareness.getStates().has(1), "Ben sees Ann go");
    leaveAll(ben, cem);
    return seen;
  },

  async "late joiner on the other node"() {
    const ann = await join(1).synced();
    ann.doc.getMap("config").set("initialContentLoaded", true);
    ann.text.insert(0, "seeded");
    await ann.synced();
    // synced is when Loomio looks whether the text has to be loaded: it must be there by then.
    const ben = await join(2, { url: given.other }).synced();
    const seen = [ben.doc.getMap("config").toJSON(), ben.text.toString()];
    leaveAll(ann, ben);
    return seen;
  },

  async "a node killed"() {
    const [ann, ben] = [join(1), join(2, { url: given.other })];
    await equal(ann, ben);
    ann.text.insert(0, "written on the node that dies");
    await equal(ann, ben);
    await order("kill");
    ann.leave();
    ben.text.insert(0, "Ben goes on: ");
    await ben.synced();
    ben.leave();
    await order("stop the other");
    await order("start the other");
    const cem = await join(3, { url: given.other }).synced();
    return cem.text.toString();
  },

  async "Redis restarted"() {
    const [ann, ben] = [join(1), join(2, { url: given.other })];
    await equal(ann, ben);
    ann.text.insert(0, "before ");
    await equal(ann, ben);
    await order("kill Redis");
    ann.text.insert(7, "Ann ");
    ben.text.insert(7, "Ben ");
    ben.text.delete(0, 2);
    await ann.synced();
    await ben.synced();
    await order("start Redis");
    await equal(ann, ben);
    leaveAll(ann, ben);
    return ann.text.toString();
  },

  /** What is open is stored, and Redis forgets it: the last one leaves, and somebody opens it. */
  async "Redis forgets"() {
    const ann = await join(1).synced();
    ann.text.insert(0, "kept");
    await ann.synced();
    await order("until stored");
    await order("forget");
    ann.leave();
    await order("until stored");
    await order("restart");
    const ben = await join(2, { url: given.other }).synced();
    ben.leave();
    return ben.text.toString();
  },

  /** The same, and nobody leaves: the node is gone before. */
  async "Redis forgets, and the node dies"() {
    const ann = await join(1).synced();
    ann.text.insert(0, "kept");
    await ann.synced();
    await order("until stored");
    await order("restart Redis");
    await order("until stored");
    await order("kill");
    ann.leave();
    const ben = await join(2, { url: given.other }).synced();
    ben.leave();
    return ben.text.toString();
  },

  /** Provider 4: two editors of one document on one socket, each with an address of its own. */
  async "two sessions on one socket"() {
    const socket = new provider.HocuspocusProviderWebsocket({ url: given.url });
    const one = await join(1, { socket, sessionAwareness: true }).synced();
    const two = await join(2, { socket, sessionAwareness: true }).synced();
    one.text.insert(0, "one ");
    await equal(one, two);
    two.text.insert(4, "two");
    await equal(one, two);
    one.provider.setAwarenessField("user", { name: "one" });
    await until(() => two.provider.awareness.getStates().get(1)?.user, "two sees one");
    one.provider.destroy();
    await until(() => !two.provider.awareness.getStates().has(1), "two sees one go");
    two.text.insert(7, "!");
    await two.synced();
    socket.destroy();
    const addresses = [one, two].map(({ wire }) => new Set(wire.map(([address]) => address)).size);
    const ben = await join(3).synced();
    const seen = ben.text.toString();
    leaveAll(ben);
    return [seen, addresses];
  },

  /** What is in the document is small; what was in it is not, and Ben has seen all of it. */
  async "a large value replaced"() {
    const [ann, ben] = [await join(1).synced(), await join(2).synced()];
    const value = ({ doc }) => doc.getMap("m").get("s");
    for (const letter of "abcdefg") {
      ann.doc.getMap("m").set("s", letter.repeat(150 << 10));
      await ann.synced();
      await until(() => value(ben)?.startsWith(letter), "Ben has it");
    }
    ben.text.insert(0, "Ben goes on");
    await equal(ann, ben);
    const cem = await join(3).synced();
    const all = [ann, ben, cem].map((client) => [value(client).length, value(client)[0], client.text.toString(), client.count("close")]);
    leaveAll(ann, ben, cem);
    return all;
  },

  /** A paste that no document takes; later the provider comes again, as if it had heard nothing. */
  async "a paste that is too large"() {
    const socket = new provider.HocuspocusProviderWebsocket({ url: given.url });
    const beside = await join(1, { name: "beside", socket }).synced();
    const large = await join(2, { name: "large", socket }).synced();
    large.doc.getMap("m").set("s", "A".repeat(2 << 20));
    await until(() => large.count("close") === 1, "it is told so");
    large.text.insert(0, "not heard");
    beside.text.insert(0, "lives on");
    await beside.synced();
    const alone = new provider.HocuspocusProviderWebsocket({ url: given.url, messageReconnectTimeout: 1_000 });
    const ann = await join(3, { name: "larger", socket: alone }).synced();
    ann.doc.getMap("m").set("s", "A".repeat(2 << 20));
    await until(() => ann.count("close") >= 2, "it comes again, and is told so");
    ann.doc.getMap("m").delete("s");
    ann.text.insert(0, "goes on");
    await ann.synced();
    alone.destroy();
    socket.destroy();
    return [beside.text.toString(), ann.text.toString()];
  },

  async "turned out"() {
    const ann = await join(1).synced();
    const ben = await join(2, { token: "2,good" }).synced();
    await order("turn out");
    await until(() => ann.count("close") === 1, "Ann is turned out");
    ben.text.insert(0, "Ben stays");
    await ben.synced();
    ann.leave();
    return [ben.text.toString(), ann.text.toString(), ann.trace.slice(-2)];
  },

  async "asked again"() {
    const ann = await join(1).synced();
    await order("allow reading only");
    await until(() => ann.wire.some(([, kind, scope]) => kind === "authenticated" && scope === "readonly"), "Ann may only read");
    ann.text.insert(0, "no");
    await until(() => ann.wire.some(([, kind, ok]) => kind === "status" && !ok), "Ann may not write");
    await order("be in trouble");
    await order("deny");
    await until(() => ann.count("close") === 1, "Ann is turned out");
    ann.leave();
    return ann.trace.filter(([kind]) => kind !== "step 1" && kind !== "step 2");
  },

  async "another token"() {
    const ann = await join(1).synced();
    ann.provider.configuration.token = "1,bad";
    await ann.provider.sendToken();
    await until(() => ann.count("close") === 1, "Ann is turned out");
    ann.leave();
    return ann.trace.slice(-2);
  },
};
