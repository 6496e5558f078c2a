// Frames that no provider sends, and what comes back: bytes, and how the socket is closed.

import WebSocket from "ws";

const PATIENCE = 10_000;

const hex = (data) => Buffer.from(data).toString("hex");
const uint = (value) => {
  const bytes = [];
  while (value > 127) {
    bytes.push((value % 128) | 128);
    value = Math.floor(value / 128);
  }
  return Buffer.from([...bytes, value]);
};
const buffer = (data) => Buffer.concat([uint(data.length), Buffer.from(data)]);
const string = (text) => buffer(Buffer.from(text));
const on = (name, ...bytes) => Buffer.concat([string(name), ...bytes.map((each) => Buffer.from(each))]);

const d = (...bytes) => on("d", ...bytes);
const auth = d([2, 0], string("1,good"));
const denied = d([2, 0], string("1,bad"));
const step1 = d([0, 0], buffer([0]));
const update = (bytes) => d([0, 2], buffer(bytes));
const hi = [1, 1, 5, 0, 4, 1, 1, 116, 2, 104, 105, 0]; // "hi" in the text "t"
const awareness = (client, clock, state) =>
  d([1], buffer(Buffer.concat([[1], uint(client), uint(clock), string(state)].map((part) => Buffer.from(part)))));
const longName = "n".repeat(10_000);

const cases = {
  "an empty frame": [Buffer.alloc(0)],
  "an address that cannot be read": [Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])],
  "an address longer than the frame": [Buffer.from([9, 100])],
  "an address of 2^53 bytes": [uint(2 ** 53 - 1)],
  "an address that is not UTF-8": [Buffer.from([2, 0xff, 0xfe, 0])],
  "a bare pong": [Buffer.from([10])],
  "only an address": [d()],
  "a text frame": [auth.toString("latin1")],
  "step 1 without a token": [step1],
  "step 1, then a token": [step1, auth],
  "a broken token": [d([2, 0, 50, 49])],
  "a token that is not UTF-8": [d([2, 0, 2, 0xff, 0xfe])],
  "a type that cannot be read": [d([0xff])],
  "a token twice": [auth, auth],
  "a token and a provider version": [d([2, 0], string("1,good"), string("4.8.0"))],
  "a broken update": [auth, 1, update([1, 2, 3, 4, 5])],
  "an update of nothing": [auth, 1, update([])],
  "an update longer than the frame": [auth, 1, d([0, 2, 50, 1])],
  "an update of 2^53 bytes": [auth, 1, d([0, 2], uint(2 ** 53 - 1))],
  "a truncated update": [auth, 1, update(hi.slice(0, 8))],
  "an update": [auth, 1, update(hi)],
  "an unknown type": [auth, 1, d([42])],
  "an unknown sync message": [auth, 1, d([0, 9], buffer([0]))],
  "a broken state vector": [auth, 1, d([0, 0], buffer([5, 1]))],
  "a query for awareness": [auth, 1, d([3])],
  "a goodbye, then step 1": [auth, 1, d([7]), 2, step1],
  "a goodbye, then a token": [auth, 1, d([7]), 2, auth],
  "awareness": [auth, 1, awareness(7, 1, '{"user":"😀"}')],
  "awareness with clock 0": [auth, 1, awareness(7, 0, "{}")],
  "awareness, older": [auth, 1, awareness(7, 2, '{"a":1}'), awareness(7, 1, '{"a":2}')],
  "awareness, gone": [auth, 1, awareness(7, 1, "{}"), awareness(7, 1, "null")],
  "awareness of one that never was": [auth, 1, awareness(7, 1, "null")],
  "awareness that is not JSON": [auth, 1, awareness(7, 1, "{broken")],
  "awareness that is not UTF-8": [auth, 1, d([1, 6, 1, 7, 1, 2, 0xff, 0xfe])],
  "truncated awareness": [auth, 1, d([1, 3, 2, 7, 1])],
  "a sync reply": [auth, 1, d([4, 0], buffer([0]))],
  "a broadcast": [auth, 1, d([6], string("to all 😀"))],
  "a stateless message": [auth, 1, d([5], string("x"))],
  "a message of the server": [auth, 1, d([8, 1])],
  "refused": [denied],
  "refused, then accepted": [denied, 1, auth],
  "a name of 10 KB": [on(longName, [2, 0], string("1,good")), on(longName, [0, 0], buffer([0]))],
  "an empty name": [on("", [2, 0], string("1,good")), on("", [0, 0], buffer([0]))],
  "a name with NUL": [on("d\0e", [2, 0], string("1,good")), on("d\0e", [0, 0], buffer([0]))],
  "a broken status of a token": [d([2])],
  "an empty token": [d([2, 0, 0])],
};

/** Send frames, then two on other documents, one after the other: everything is answered before. */
async function answers(url, sent, number) {
  const socket = new WebSocket(url);
  const heard = [];
  const ended = new Promise((resolve) => socket.on("close", (code, reason) => resolve([code, `${reason}`])));
  await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
  const probe = (round) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(on(`probe-${number}-${round}`, [2, 0], string("1,good")));
  };
  const isDone = new Promise((resolve) =>
    socket.on("message", (data) => {
      if (data.includes(`probe-${number}-1`)) probe(2);
      else if (data.includes(`probe-${number}-2`)) resolve(null);
      else heard.push(hex(data));
    }),
  );
  for (const step of sent) {
    if (Buffer.isBuffer(step)) socket.send(step);
    else await heardSo(step, socket, heard);
  }
  probe(1);
  const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE, ["never"]).unref());
  const close = await Promise.race([ended, isDone, patience]);
  socket.terminate();
  return { heard, close };
}

/** Wait for so many answers: what is sent before them would be queued, or overtake. */
async function heardSo(many, socket, heard) {
  const deadline = Date.now() + PATIENCE;
  while (heard.length < many && socket.readyState === WebSocket.OPEN && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** @param expected How many answers each case had from another server; they are waited for. */
export async function frames(url, expected = {}) {
  const told = {};
  let number = 0;
  for (const [name, sent] of Object.entries(cases)) {
    number += 1;
    // A document of its own for each case, as long as the name is the usual one.
    const mine = sent.map((step) =>
      Buffer.isBuffer(step) && step[0] === 1 && step[1] === 0x64
        ? Buffer.concat([string(`case-${number}`), step.subarray(2)])
        : step,
    );
    told[name] = await answers(url, [...mine, expected[name] ?? 0], number);
  }
  return told;
}
