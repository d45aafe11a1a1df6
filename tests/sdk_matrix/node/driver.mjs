// Drives the npm SDKs for the matrix, in the words of ../python/__main__.py: a call is a line of
// JSON on standard input, the answer one on standard output.

import { AsyncLocalStorage } from "node:async_hooks";
import { readFileSync } from "node:fs";
import path from "node:path";
import readline from "node:readline";

import { Asked, Cannot, Said, TIMEOUT_MS } from "./asked.mjs";

const CLIENTS = {
  "npm openai": ["./openai.mjs", "openai"],
  "npm @anthropic-ai/sdk": ["./anthropic.mjs", "@anthropic-ai/sdk"],
  "npm @google/genai": ["./genai.mjs", "@google/genai"],
  "AI SDK openai()": ["./ai.mjs", "ai"],
  "AI SDK openai.chat()": ["./ai.mjs", "ai"],
  "AI SDK anthropic()": ["./ai.mjs", "ai"],
  "AI SDK google()": ["./ai.mjs", "ai"],
};

const LEAST_MS = 50;
const ofThisCall = new AsyncLocalStorage();
const setTimer = globalThis.setTimeout;

/** fetch itself closes idle connections by a timer. */
const isOfFetch = () => new Error().stack.includes("node:internal/deps/undici");

/** Pauses are noted, and skipped unless they are the point; deadlines are left alone. */
globalThis.setTimeout = (callback, ms, ...rest) => {
  const pauses = ofThisCall.getStore();
  if (pauses === undefined || !(ms >= LEAST_MS) || ms === TIMEOUT_MS || isOfFetch()) {
    return setTimer(callback, ms, ...rest);
  }
  pauses.seconds.push(ms / 1000);
  return setTimer(callback, pauses.skipped ? 0 : ms, ...rest);
};

function version(name) {
  const file = path.join(process.argv[2], "node_modules", name, "package.json");
  return JSON.parse(readFileSync(file, "utf8")).version;
}

async function answered({ id, skip_pauses, ...line }) {
  const asked = new Asked(line);
  const said = new Said();
  const sdk = await import(CLIENTS[asked.client][0]);
  const outcome = { id };
  const pauses = { skipped: skip_pauses, seconds: [] };
  await ofThisCall.run(pauses, async () => {
    try {
      await sdk.ask(asked, said);
    } catch (error) {
      if (error instanceof Cannot) outcome.cannot = error.message;
      else outcome.problem = sdk.problem(error);
    }
  });
  return { ...outcome, said, pauses: pauses.seconds };
}

const say = process.stdout.write.bind(process.stdout);
const tell = (document) => say(`${JSON.stringify(document)}\n`);
console.log = console.info = console.error; // what SDKs print is no answer

const versions = Object.entries(CLIENTS).map(([client, [, name]]) => [client, version(name)]);
tell({ clients: Object.fromEntries(versions) });
for await (const line of readline.createInterface({ input: process.stdin })) {
  answered(JSON.parse(line)).then(tell);
}
