// The npm openai SDK.

import { Cannot, MODEL, PNG_BASE64, SCHEMA, TIMEOUT_MS, ZONE, packages, problem as told } from "./asked.mjs";

const OpenAI = packages("openai");

const TOOL = { type: "function", function: { name: "clock", parameters: ZONE } };
const FORMAT = { type: "json_schema", json_schema: { name: "place", strict: true, schema: SCHEMA } };

export async function ask(asked, said) {
  if (asked.task === "count") throw new Cannot("gauger serves no such route of its API");
  const client = new OpenAI({
    baseURL: `${asked.root}/v1`,
    apiKey: asked.key ?? "unused",
    timeout: TIMEOUT_MS,
    defaultHeaders: asked.key === null ? { Authorization: null } : {},
  });
  if (asked.is("embeddings")) return await embed(client, asked, said);
  if (asked.is("responses")) return await respond(client, asked, said);
  if (asked.is("completions")) return await complete(client, asked, said);
  if (asked.task === "wrong route") return await client.files.list();
  if (asked.task === "wrong method") return await client.models.delete(MODEL);
  return await chat(client, asked, said);
}

export function problem(error) {
  return told(`openai.${error.constructor.name}`, error, error.status, error.code);
}

async function received(call, said) {
  const { data, response } = await call.withResponse();
  said.readHeaders(response.headers);
  return data;
}

async function chat(client, asked, said) {
  const image = { type: "image_url", image_url: { url: `data:image/png;base64,${PNG_BASE64}` } };
  const text = { type: "text", text: asked.words };
  const body = {
    model: MODEL,
    messages: [{ role: "user", content: asked.task === "image" ? [text, image] : asked.words }],
    max_tokens: asked.task === "malformed" ? "many" : asked.ceiling,
  };
  if (asked.is("tools")) body.tools = [TOOL];
  if (asked.task === "choices") body.n = 2;
  if (asked.task === "structured") body.response_format = FORMAT;
  if (asked.stream) Object.assign(body, { stream: true, stream_options: { include_usage: true } });
  const answer = await received(client.chat.completions.create(body), said);
  if (!asked.stream) {
    const [{ message }] = answer.choices;
    said.choices = answer.choices.length;
    said.text = message.content ?? "";
    for (const call of message.tool_calls ?? []) said.called(call.function.name, call.function.arguments);
    said.used(answer.usage?.prompt_tokens, answer.usage?.completion_tokens);
    return;
  }
  for await (const chunk of answer) {
    for (const { index, delta } of chunk.choices) {
      said.choices = Math.max(said.choices, index + 1);
      said.text += delta.content ?? "";
      for (const call of delta.tool_calls ?? []) said.called(call.function.name, call.function.arguments ?? "");
    }
    if (chunk.usage) said.used(chunk.usage.prompt_tokens, chunk.usage.completion_tokens);
  }
}

async function respond(client, asked, said) {
  const body = { model: MODEL, input: asked.words, max_output_tokens: asked.ceiling, stream: asked.stream };
  const answer = await received(client.responses.create(body), said);
  if (!asked.stream) {
    said.text = answer.output_text;
    said.choices = 1;
    said.used(answer.usage.input_tokens, answer.usage.output_tokens);
    return;
  }
  for await (const event of answer) {
    if (event.type === "response.output_text.delta") said.text += event.delta;
    if (event.type === "response.completed") {
      said.choices = 1;
      said.used(event.response.usage.input_tokens, event.response.usage.output_tokens);
    }
  }
}

async function complete(client, asked, said) {
  const body = { model: MODEL, prompt: asked.words, max_tokens: asked.ceiling };
  if (asked.stream) Object.assign(body, { stream: true, stream_options: { include_usage: true } });
  const answer = await received(client.completions.create(body), said);
  for await (const chunk of asked.stream ? answer : [answer]) {
    for (const choice of chunk.choices) {
      said.text += choice.text;
      said.choices = 1;
    }
    if (chunk.usage) said.used(chunk.usage.prompt_tokens, chunk.usage.completion_tokens);
  }
}

async function embed(client, asked, said) {
  const body = { model: MODEL, input: asked.words, encoding_format: "float" };
  const answer = await received(client.embeddings.create(body), said);
  said.choices = answer.data.length;
  said.used(answer.usage.prompt_tokens, 0);
}
