// What every scenario needs: the provider, clients, and a way to have something done outside.

import { createInterface } from "node:readline";
import { Client, until } from "./client.mjs";

// yjs says on standard output what it does not like; that is for people.
for (const method of ["log", "info", "warn"]) console[method] = console.error;

// Provider 2 throws when it is told to come again, with any server; in a browser nothing happens.
process.on("uncaughtException", (error) => {
  if (!error.message.endsWith("unknown type: 7")) throw error;
});

export const given = JSON.parse(process.argv[2]);
export const provider = await import(`@hocuspocus/provider-${given.provider}`);
export const NAME = `${given.scenario}-${given.provider}`;

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** Let something be done outside; return what comes back. */
export async function order(what) {
  print({ order: what });
  return (await lines.next()).value;
}

export const join = (id, options) =>
  new Client(provider, given.url, { id, name: NAME, ...options });

export const told = (...clients) =>
  clients.map(({ id, events, trace, text }) => ({ id, events, trace, text: text.toString() }));

/** All clients have what all have written. */
export async function equal(...clients) {
  const text = () => new Set(clients.map((client) => client.text.toString()));
  await until(() => text().size === 1, "all have the same text");
  // Provider 2 forgets how much is unsynced when its socket breaks: what counts is that it is read.
  await until(() => clients.every((client) => client.provider.isSynced), "all are synced");
  for (const client of clients) await client.settled();
}
