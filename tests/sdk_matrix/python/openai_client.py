"""The openai SDK."""

from typing import Any

import openai

from tests.sdk_matrix.python.asked import (
    CLOCK,
    MODEL,
    PNG_URL,
    SCHEMA,
    TIMEOUT_S,
    Asked,
    Cannot,
    Problem,
    Said,
)

FORMAT: Any = {
    "type": "json_schema",
    "json_schema": {"name": "place", "strict": True, "schema": SCHEMA},
}
TOOL: Any = {"type": "function", "function": CLOCK}


async def ask(asked: Asked, said: Said) -> None:
    if asked.task == "count":
        raise Cannot("gauger serves no such route of its API")
    async with openai.AsyncOpenAI(
        base_url=f"{asked.root}/v1", api_key=asked.key or "unused", timeout=TIMEOUT_S
    ) as client:
        match asked.task:
            case "embeddings":
                await _embed(client, asked, said)
            case "responses" | "responses stream":
                await _respond(client, asked, said)
            case "completions" | "completions stream":
                await _complete(client, asked, said)
            case "wrong route":
                await client.files.list()
            case "wrong method":
                await client.models.delete(MODEL)
            case _:
                await _chat(client, asked, said)


def problem(error: Exception) -> Problem:
    name = f"openai.{type(error).__name__}"
    status = error.status_code if isinstance(error, openai.APIStatusError) else None
    code = error.code if isinstance(error, openai.APIError) else None
    return Problem(name, status, code, str(error))


def fields(asked: Asked) -> dict[str, Any]:
    """Of a chat."""
    content: Any = asked.words
    if asked.task == "image":
        image = {"type": "image_url", "image_url": {"url": PNG_URL}}
        content = [{"type": "text", "text": asked.words}, image]
    body: dict[str, Any] = {
        "model": MODEL,
        "messages": [{"role": "user", "content": content}],
        "max_tokens": asked.ceiling,
    }
    if asked.task.startswith("tools"):
        body["tools"] = [TOOL]
    elif asked.task == "choices":
        body["n"] = 2
    elif asked.task == "structured":
        body["response_format"] = FORMAT
    elif asked.task == "malformed":
        body["extra_body"] = {"max_tokens": "many"}
    if asked.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    if asked.key is None:
        body["extra_headers"] = {"Authorization": openai.Omit()}
    return body


async def _chat(client: openai.AsyncOpenAI, asked: Asked, said: Said) -> None:
    raw = await client.chat.completions.with_raw_response.create(**fields(asked))
    said.read_headers(raw.headers)
    if asked.stream:
        await read_chunks(raw.parse(), said)
    else:
        read_completion(raw.parse(), said)


def read_completion(completion: Any, said: Said) -> None:
    said.choices = len(completion.choices)
    message = completion.choices[0].message
    said.text = message.content or ""
    for call in message.tool_calls or []:
        said.called(call.function.name, call.function.arguments)
    if completion.usage is not None:
        said.used(completion.usage.prompt_tokens, completion.usage.completion_tokens)


async def read_chunks(chunks: Any, said: Said) -> None:
    async for chunk in chunks:
        for choice in chunk.choices:
            said.choices = max(said.choices, choice.index + 1)
            said.text += choice.delta.content or ""
            for call in choice.delta.tool_calls or []:
                said.called(call.function.name or said.tool or "", call.function.arguments or "")
        if getattr(chunk, "usage", None) is not None:
            said.used(chunk.usage.prompt_tokens, chunk.usage.completion_tokens)


async def _respond(client: openai.AsyncOpenAI, asked: Asked, said: Said) -> None:
    body: Any = {"model": MODEL, "input": asked.words, "max_output_tokens": asked.ceiling}
    raw = await client.responses.with_raw_response.create(**body, stream=asked.stream)
    said.read_headers(raw.headers)
    parsed: Any = raw.parse()
    if not asked.stream:
        said.text, said.choices = parsed.output_text, 1
        said.used(parsed.usage.input_tokens, parsed.usage.output_tokens)
        return
    async for event in parsed:
        if event.type == "response.output_text.delta":
            said.text += event.delta
        elif event.type == "response.completed":
            usage = event.response.usage
            said.choices = 1
            said.used(usage.input_tokens, usage.output_tokens)


async def _complete(client: openai.AsyncOpenAI, asked: Asked, said: Said) -> None:
    body: Any = {"model": MODEL, "prompt": asked.words, "max_tokens": asked.ceiling}
    if asked.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    raw = await client.completions.with_raw_response.create(**body)
    said.read_headers(raw.headers)
    parsed: Any = raw.parse()
    if not asked.stream:
        said.text, said.choices = parsed.choices[0].text, len(parsed.choices)
        said.used(parsed.usage.prompt_tokens, parsed.usage.completion_tokens)
        return
    async for chunk in parsed:
        for choice in chunk.choices:
            said.text += choice.text
            said.choices = 1
        if chunk.usage is not None:
            said.used(chunk.usage.prompt_tokens, chunk.usage.completion_tokens)


async def _embed(client: openai.AsyncOpenAI, asked: Asked, said: Said) -> None:
    raw = await client.embeddings.with_raw_response.create(model=MODEL, input=asked.words)
    said.read_headers(raw.headers)
    parsed = raw.parse()
    said.choices = len(parsed.data)
    said.used(parsed.usage.prompt_tokens, 0)
