// What a client is asked to do, and what came of it: the same words as ../python/asked.py.

import { createRequire } from "node:module";
import path from "node:path";

/** Packages lie outside the repository, in the directory given as first argument. */
export const packages = createRequire(path.join(process.argv[2], "package.json"));

export const MODEL = "demo-small";
export const CEILING = 50;
export const NEVER = 5000;

/** No request lasts so long: a timer of exactly this length is a deadline, not a pause. */
export const TIMEOUT_MS = 19_999;

export const SCHEMA = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
export const ZONE = {
  type: "object",
  properties: { zone: { type: "string" } },
  required: ["zone"],
};
export const PNG_BASE64 =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

/** The SDK has no way to ask for this. */
export class Cannot extends Error {}

export class Asked {
  constructor({ client, task, url, key }) {
    Object.assign(this, { client, task, url, key });
    this.stream = task.endsWith("stream");
    this.root = task === "wrong address" ? `${url}/nowhere` : url;
    this.words = task === "large" ? "word ".repeat(4000) : "Say hello";
    this.ceiling = task === "never" ? NEVER : CEILING;
  }

  keyed() {
    if (this.key === null) throw new Cannot("it always sends a key");
    return this.key;
  }

  is(...prefixes) {
    return prefixes.some((prefix) => this.task.startsWith(prefix));
  }
}

export class Said {
  text = "";
  tool = null;
  arguments = null;
  choices = 0;
  input_tokens = null;
  output_tokens = null;
  headers = null;

  called(name, given) {
    this.tool = name ?? this.tool;
    this.arguments = (this.arguments ?? "") + (typeof given === "string" ? given : JSON.stringify(given));
  }

  used(read, written) {
    this.input_tokens = read ?? null;
    this.output_tokens = written ?? null;
  }

  readHeaders(headers) {
    const entries = headers instanceof Headers ? [...headers] : Object.entries(headers);
    this.headers = Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value]));
  }
}

/** An error, as a program sees it that catches it. */
export function problem(name, error, status, code) {
  return { name, status: status ?? null, code: code ?? null, message: String(error.message) };
}
