// Vercel's AI SDK, over each of its three providers; `openai()` speaks the Responses API.

import { Cannot, MODEL, PNG_BASE64, SCHEMA, ZONE, packages, problem as told } from "./asked.mjs";

const { Output, embed, generateText, jsonSchema, streamText, tool } = packages("ai");
const { createOpenAI } = packages("@ai-sdk/openai");
const { createAnthropic } = packages("@ai-sdk/anthropic");
const { createGoogleGenerativeAI } = packages("@ai-sdk/google");

globalThis.AI_SDK_LOG_WARNINGS = false;

export async function ask(asked, said) {
  if (asked.is("wrong", "count", "choices", "completions") && asked.task !== "wrong address") throw new Cannot("it asks for nothing of the kind");
  const model = chosen(asked);
  if (asked.task === "embeddings") {
    const embedded = await embed({ model, value: asked.words });
    said.choices = embedded.embedding.length > 0 ? 1 : 0;
    said.used(embedded.usage.tokens, 0);
    if (embedded.response?.headers) said.readHeaders(embedded.response.headers);
    return;
  }
  const content = [{ type: "text", text: asked.words }];
  if (asked.task === "image") content.push({ type: "file", data: PNG_BASE64, mediaType: "image/png" });
  const given = { model, messages: [{ role: "user", content }], maxOutputTokens: asked.ceiling };
  if (asked.is("tools")) given.tools = { clock: tool({ inputSchema: jsonSchema(ZONE) }) };
  if (asked.task === "structured") given.output = Output.object({ schema: jsonSchema(SCHEMA) });
  if (asked.stream) return await stream(given, said);
  const answer = await generateText(given);
  said.choices = 1;
  said.text = answer.text;
  for (const call of answer.toolCalls) said.called(call.toolName, call.input);
  said.used(answer.usage.inputTokens, answer.usage.outputTokens);
  said.readHeaders(answer.response.headers);
}

/** `RetryError` says that it gave up; what a program wants to know is in the last error. */
export function problem(error) {
  const last = error.lastError ?? error;
  const name = error.lastError ? `${error.name}(${last.name})` : (error.name ?? error.constructor.name);
  const fault = last.data?.error ?? last.error ?? {};
  const code = fault.code && typeof fault.code === "string" ? fault.code : (fault.status ?? fault.type);
  return told(name, last, last.statusCode, code);
}

function chosen(asked) {
  const apiKey = asked.keyed();
  const fetchOf = asked.task === "malformed" ? { fetch: malforming } : {};
  const openai = createOpenAI({ baseURL: `${asked.root}/v1`, apiKey, ...fetchOf });
  switch (asked.client) {
    case "AI SDK openai()":
      if (asked.is("responses")) throw new Cannot("it asks for nothing else");
      return asked.task === "embeddings" ? openai.embeddingModel(MODEL) : openai(MODEL);
    case "AI SDK openai.chat()":
      if (asked.is("responses", "embeddings")) throw new Cannot("see openai()");
      return openai.chat(MODEL);
  }
  if (asked.is("responses")) throw new Cannot("its API has none");
  if (asked.client === "AI SDK google()") {
    const google = createGoogleGenerativeAI({ baseURL: `${asked.root}/v1beta`, apiKey, ...fetchOf });
    return asked.task === "embeddings" ? google.embeddingModel(MODEL) : google(MODEL);
  }
  if (asked.task === "embeddings") throw new Cannot("its API has none");
  return createAnthropic({ baseURL: `${asked.root}/v1`, apiKey, ...fetchOf })(MODEL);
}

/** It checks its own arguments, so a wrong one is put into the body that it has written. */
function malforming(url, init) {
  const body = init.body.replace(/"(max_tokens|max_output_tokens|maxOutputTokens)":\d+/, '"$1":"many"');
  return fetch(url, { ...init, body });
}

async function stream(given, said) {
  const streaming = streamText({ ...given, onError: () => {} });
  for await (const part of streaming.fullStream) {
    if (part.type === "error") throw part.error; // `textStream` would just have ended
    if (part.type === "text-delta") said.text += part.text;
    if (part.type === "tool-call") said.called(part.toolName, part.input);
    if (part.type === "finish-step") said.readHeaders(part.response.headers ?? {});
    if (part.type === "finish") {
      said.choices = 1;
      said.used(part.totalUsage.inputTokens, part.totalUsage.outputTokens);
    }
  }
}
