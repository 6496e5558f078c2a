// One client of a document: a real provider, and everything it was told, in order.

import * as decoding from "lib0/decoding";
import * as Y from "yjs";

const PATIENCE = 15_000;
const STEPS = ["step 1", "step 2", "update"];

/** Wait until something holds; say what it was if it never does. */
export async function until(holds, what, patience = PATIENCE) {
  const deadline = Date.now() + patience;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const sorted = (map) => [...map].sort(([a], [b]) => a - b);

/** What an update is about, however it is encoded. */
const meta = (update) => {
  const { from, to } = Y.parseUpdateMeta(update);
  return { from: sorted(from), to: sorted(to) };
};

function sync(decoder) {
  const step = decoding.readVarUint(decoder);
  const payload = decoding.readVarUint8Array(decoder);
  if (step === 0) return [STEPS[step], sorted(Y.decodeStateVector(payload))];
  return [STEPS[step], meta(payload)];
}

function awareness(decoder) {
  const inner = decoding.createDecoder(decoding.readVarUint8Array(decoder));
  const states = [];
  for (let count = decoding.readVarUint(inner); count > 0; count -= 1) {
    states.push([
      decoding.readVarUint(inner),
      decoding.readVarUint(inner),
      JSON.parse(decoding.readVarString(inner)),
    ]);
  }
  return ["awareness", states.sort(([a], [b]) => a - b)];
}

/** A message of the server in words. */
export function inWords(data) {
  const decoder = decoding.createDecoder(new Uint8Array(data));
  const address = decoding.readVarString(decoder);
  const type = decoding.readVarUint(decoder);
  const body = () => {
    switch (type) {
      case 0: return sync(decoder);
      case 1: return awareness(decoder);
      case 2: return [["token", "denied", "authenticated"][decoding.readVarUint(decoder)], decoding.readVarString(decoder)];
      case 5: return ["stateless", decoding.readVarString(decoder)];
      case 7: return ["close", decoding.readVarString(decoder)];
      case 8: return ["status", decoding.readVarUint(decoder)];
      default: return ["unknown", type];
    }
  };
  return [address, ...body()];
}

export class Client {
  /**
   * @param provider Module of the provider.
   * @param id Client id: traces can be compared only if it is always the same.
   */
  constructor(provider, home, { id, name, url = home, token = "1,good", socket, ...more }) {
    this.id = id;
    this.doc = new Y.Doc();
    this.doc.clientID = id;
    this.text = this.doc.getText("text");
    this.events = [];
    this.wire = [];
    const note = (event) => (details) => this.events.push(details === undefined ? [event] : [event, details]);
    const place = socket ? { websocketProvider: socket } : { url };
    this.provider = new provider.HocuspocusProvider({
      ...place,
      ...more,
      name,
      token,
      document: this.doc,
      onAuthenticated: () => note("authenticated")(this.provider?.authorizedScope ?? null),
      onAuthenticationFailed: ({ reason }) => note("denied")(reason),
      onSynced: ({ state }) => note("synced")(state ?? true),
      onStateless: ({ payload }) => note("stateless")(payload),
      // The socket of provider 3 calls them, too, in another way.
      onMessage: ({ event }) => event && this.wire.push(inWords(event.data)),
      onClose: ({ event }) => event && note("close")(event.reason ?? ""),
    });
    if (socket && this.provider.attach) this.provider.attach();
  }

  /** What was heard, without awareness, whose order among clients nobody promises. */
  get trace() {
    return this.wire.filter(([, kind]) => kind !== "awareness").map(([, ...words]) => words);
  }

  count(kind) {
    return this.wire.filter(([, each]) => each === kind).length;
  }

  async synced() {
    await until(() => this.provider.isSynced && this.provider.unsyncedChanges === 0, `client ${this.id} is synced`);
    return this;
  }

  /** Everything that was said before has been answered: the server keeps the order. */
  async settled() {
    this.marks = (this.marks ?? 0) + 1;
    const mark = this.marks;
    this.provider.setAwarenessField("mark", mark);
    const isEcho = ([client, , state]) => client === this.id && (state?.mark ?? 0) >= mark;
    await until(
      () => this.wire.some(([, kind, states]) => kind === "awareness" && states.some(isEcho)),
      `the server answers client ${this.id}`,
    );
  }

  drop() {
    const socket = this.provider.configuration.websocketProvider;
    (socket.webSocket ?? socket.connection).close();
  }

  leave() {
    this.provider.destroy();
    this.provider.configuration.websocketProvider.destroy();
  }
}
