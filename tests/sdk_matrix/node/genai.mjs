// The npm @google/genai SDK.

import { Cannot, MODEL, PNG_BASE64, SCHEMA, TIMEOUT_MS, ZONE, packages, problem as told } from "./asked.mjs";

const { GoogleGenAI } = packages("@google/genai");

const TOOL = { functionDeclarations: [{ name: "clock", parametersJsonSchema: ZONE }] };

export async function ask(asked, said) {
  if (asked.is("responses", "completions")) throw new Cannot("its API has none");
  const httpOptions = { baseUrl: asked.root, timeout: TIMEOUT_MS };
  const client = new GoogleGenAI({ apiKey: asked.keyed(), vertexai: false, httpOptions });
  if (asked.task === "embeddings") {
    return await client.models.embedContent({ model: MODEL, contents: asked.words });
  }
  if (asked.task === "wrong route") return await client.files.list();
  if (asked.task === "wrong method") return await client.models.delete({ model: MODEL });
  if (asked.task === "count") {
    const counted = await client.models.countTokens({ model: MODEL, contents: asked.words });
    said.input_tokens = counted.totalTokens;
    said.readHeaders(counted.sdkHttpResponse.headers);
    return;
  }
  const config = { maxOutputTokens: asked.ceiling };
  const parts = [{ text: asked.words }];
  if (asked.task === "malformed") {
    config.httpOptions = { extraBody: { generationConfig: { maxOutputTokens: "many" } } };
  }
  if (asked.task === "image") parts.push({ inlineData: { data: PNG_BASE64, mimeType: "image/png" } });
  if (asked.is("tools")) config.tools = [TOOL];
  if (asked.task === "choices") config.candidateCount = 2;
  if (asked.task === "structured") {
    Object.assign(config, { responseMimeType: "application/json", responseJsonSchema: SCHEMA });
  }
  const given = { model: MODEL, contents: [{ role: "user", parts }], config };
  if (!asked.stream) return read(await client.models.generateContent(given), said);
  for await (const chunk of await client.models.generateContentStream(given)) read(chunk, said);
}

export function problem(error) {
  let code = null;
  try {
    code = JSON.parse(error.message).error.status; // its message is the whole body
  } catch {}
  return told(`google.genai.${error.constructor.name}`, error, error.status, code);
}

function read(answer, said) {
  if (answer.sdkHttpResponse?.headers) said.readHeaders(answer.sdkHttpResponse.headers);
  for (const candidate of answer.candidates ?? []) {
    said.choices = Math.max(said.choices, (candidate.index ?? 0) + 1);
  }
  for (const part of answer.candidates?.[0]?.content?.parts ?? []) {
    said.text += part.text ?? "";
    if (part.functionCall) said.called(part.functionCall.name, part.functionCall.args);
  }
  const usage = answer.usageMetadata;
  if (usage) {
    said.used(usage.promptTokenCount, (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0));
  }
}
