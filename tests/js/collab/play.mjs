// Plays a scenario with real providers, and prints what each client was told meanwhile.
//
//   node play.mjs '{"scenario": "edit", "provider": "3", "url": "ws://127.0.0.1:4444"}'
//
// Prints {"order": "stop"} when it wants something done to the server, and waits for a line; at the
// end {"told": ...}.

import { given } from "./stage.mjs";

const { scenarios } = await import(`./${given.file ?? "scenarios"}.mjs`);
const result = await scenarios[given.scenario]();
process.stdout.write(`${JSON.stringify({ told: result })}\n`, () => process.exit(0));
