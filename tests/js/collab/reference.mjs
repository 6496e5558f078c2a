// The reference: the real @hocuspocus/server, set up as in Loomio's hocuspocus.mjs.
//
//   node reference.mjs '{"port": 0, "auth": "http://127.0.0.1:7000/api/hocuspocus", "debounce": 5000}'
//
// Prints "listening <port>". The database is SQLite's, as Loomio's, but Node's own module, which
// needs no compiler; it ends with the process.

import { DatabaseSync } from "node:sqlite";
import { Database } from "@hocuspocus/extension-database";
import { Server } from "@hocuspocus/server";

const { port, auth, debounce = 5000, timeout = 30000 } = JSON.parse(process.argv[2]);

const database = new DatabaseSync("");
database.exec("create table documents (name text not null unique, data blob not null)");
const select = database.prepare("select data from documents where name = ?");
const upsert = database.prepare(
  "insert into documents values (?, ?) on conflict (name) do update set data = excluded.data",
);

const server = new Server({
  port,
  quiet: true,
  stopOnSignals: true,
  timeout,
  debounce,
  maxDebounce: 6 * debounce,
  extensions: [
    new Database({
      fetch: async ({ documentName }) => select.get(documentName)?.data ?? null,
      store: async ({ documentName, state }) => upsert.run(documentName, state),
    }),
  ],
  async onAuthenticate({ token, documentName, connectionConfig }) {
    const response = await fetch(auth, {
      method: "POST",
      headers: { "Content-type": "application/json; charset=UTF-8" },
      body: JSON.stringify({ user_secret: token, document_name: documentName }),
    });
    if (response.status !== 200) throw new Error("");
    connectionConfig.readOnly = response.headers.get("X-Document-Access") === "readonly";
  },
});

console.error = () => {};
await server.listen();
process.stdout.write(`listening ${server.address.port}\n`);
