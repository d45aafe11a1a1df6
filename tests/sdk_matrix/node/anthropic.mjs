// The npm @anthropic-ai/sdk.

import { Cannot, MODEL, PNG_BASE64, SCHEMA, TIMEOUT_MS, ZONE, packages, problem as told } from "./asked.mjs";

const { Anthropic } = packages("@anthropic-ai/sdk");

const TOOL = { name: "clock", input_schema: ZONE };

export async function ask(asked, said) {
  if (asked.is("choices", "embeddings", "responses", "completions")) throw new Cannot("its API has none");
  const client = new Anthropic({
    baseURL: asked.root,
    apiKey: asked.key ?? "unused",
    timeout: TIMEOUT_MS,
    defaultHeaders: asked.key === null ? { "X-Api-Key": null, Authorization: null } : {},
  });
  if (asked.task === "wrong route") return await client.messages.batches.list();
  if (asked.task === "wrong method") return await client.get("/v1/messages");
  const image = { type: "image", source: { type: "base64", media_type: "image/png", data: PNG_BASE64 } };
  const text = { type: "text", text: asked.words };
  const messages = [{ role: "user", content: asked.task === "image" ? [text, image] : asked.words }];
  if (asked.task === "count") {
    const counted = await received(client.messages.countTokens({ model: MODEL, messages }), said);
    said.input_tokens = counted.input_tokens;
    return;
  }
  const body = {
    model: MODEL,
    messages,
    max_tokens: asked.task === "malformed" ? "many" : asked.ceiling,
    stream: asked.stream,
  };
  if (asked.is("tools")) body.tools = [TOOL];
  if (asked.task === "structured") body.output_config = { format: { type: "json_schema", schema: SCHEMA } };
  const answer = await received(client.messages.create(body), said);
  if (asked.stream) return await readEvents(answer, said);
  said.choices = 1;
  for (const block of answer.content) {
    if (block.type === "text") said.text += block.text;
    if (block.type === "tool_use") said.called(block.name, block.input);
  }
  said.used(read(answer.usage), answer.usage.output_tokens);
}

export function problem(error) {
  const code = error.error?.error?.type;
  return told(`anthropic.${error.constructor.name}`, error, error.status, code);
}

/** This API counts what it had in its cache beside the input. */
function read(usage) {
  return usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0);
}

async function received(call, said) {
  const { data, response } = await call.withResponse();
  said.readHeaders(response.headers);
  return data;
}

async function readEvents(events, said) {
  for await (const event of events) {
    if (event.type === "message_start") said.input_tokens = read(event.message.usage);
    if (event.type === "content_block_start" && event.content_block.type === "tool_use") {
      said.called(event.content_block.name, "");
    }
    if (event.type === "content_block_delta") {
      if (event.delta.type === "text_delta") said.text += event.delta.text;
      if (event.delta.type === "input_json_delta") said.called(said.tool, event.delta.partial_json);
    }
    if (event.type === "message_delta") said.output_tokens = event.usage.output_tokens;
    if (event.type === "message_stop") said.choices = 1;
  }
}
