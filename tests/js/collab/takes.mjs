// Which updates does yjs take? One hex line each on standard input; prints those on which it throws.
//
// Each is applied alone, and after an honest document; then the whole is read, and written again.

import { createInterface } from "node:readline";
import * as Y from "yjs";

for (const method of ["log", "info", "warn"]) console[method] = console.error;

const honest = new Y.Doc();
honest.getText("t").insert(0, "honest");
honest.getMap("config").set("initialContentLoaded", true);
const document = Y.encodeStateAsUpdate(honest);

function take(update) {
  for (const first of [null, document]) {
    const doc = new Y.Doc();
    if (first) Y.applyUpdate(doc, first);
    Y.applyUpdate(doc, update);
    doc.getText("t").insert(0, "goes on");
    Y.applyUpdate(new Y.Doc(), Y.encodeStateAsUpdate(doc));
  }
}

const thrown = [];
for await (const line of createInterface({ input: process.stdin })) {
  try {
    take(Buffer.from(line, "hex"));
  } catch (error) {
    thrown.push([line, error.message]);
  }
}
process.stdout.write(JSON.stringify(thrown));
