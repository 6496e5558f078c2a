// A stock socket.io-client in a process of its own, driven by tests/node_client.py.
//
//   node client.mjs '{"package": "socket.io-client-4.7.5", "url": "http://127.0.0.1:5000",
//                     "token": "t" | null, "options": {}}'
//
// Prints one JSON object per line: {"event": ..., "transport": "polling" | "websocket" | null, ...}.
// Ends when its standard input ends, so that it never outlives the test.

import { createRequire } from "node:module";

const { package: name, url, token, options } = JSON.parse(process.argv[2]);
const { io } = createRequire(import.meta.url)(name);

// Exactly Loomio's call, apart from the options that a test adds.
const channel_token = token;
const socket = io(url, { query: { channel_token }, ...options });

const transport = () => socket.io.engine?.transport?.name ?? null;
const print = (event, fields = {}) =>
  process.stdout.write(`${JSON.stringify({ event, transport: transport(), ...fields })}\n`);

// Loomio's five handlers. "reconnect" never comes on a v4 socket; a line of it would be news.
socket.on("records", (data, ...rest) => print("records", { data, rest }));
socket.on("notice", (data, ...rest) => print("notice", { data, rest }));
socket.on("connect", () => print("connect", { id: socket.id, recovered: socket.recovered ?? null }));
socket.on("disconnect", (reason) => print("disconnect", { reason }));
socket.on("reconnect", () => print("reconnect"));

// What Loomio does not look at, but the tests do.
socket.on("connect_error", (error) => print("connect_error", { message: error.message }));
socket.io.on("open", () => {
  print("open");
  socket.io.engine.on("upgrade", () => print("upgrade"));
});

// "cut": the connection breaks, and the client comes back by itself, as after a network failure.
process.stdin.on("data", (order) => {
  if (`${order}`.trim() === "cut") socket.io.engine.close();
});
process.stdin.on("end", () => {
  socket.close();
  process.stdout.write("", () => process.exit(0));
});
