"""The anthropic SDK."""

from typing import Any

import anthropic

from tests.sdk_matrix.python.asked import (
    MODEL,
    PNG_BASE64,
    SCHEMA,
    TIMEOUT_S,
    ZONE,
    Asked,
    Cannot,
    Problem,
    Said,
)

TOOL: Any = {"name": "clock", "description": "The time.", "input_schema": ZONE}
ELSEWHERE = ("choices", "embeddings", "responses", "completions")
"""Tasks that this API does not have."""


async def ask(asked: Asked, said: Said) -> None:
    if asked.task.startswith(ELSEWHERE):
        raise Cannot("its API has none")
    given: dict[str, Any] = {}
    if asked.key is None:
        omit = anthropic.Omit()
        given["default_headers"] = {"X-Api-Key": omit, "Authorization": omit}
    async with anthropic.AsyncAnthropic(
        base_url=asked.root, api_key=asked.key or "unused", timeout=TIMEOUT_S, **given
    ) as client:
        if asked.task == "wrong route":
            await client.messages.batches.list()
        elif asked.task == "wrong method":
            await client.get("/v1/messages", cast_to=object)
        elif asked.task == "count":
            counted = await client.messages.with_raw_response.count_tokens(
                model=MODEL, messages=fields(asked)["messages"]
            )
            said.read_headers(counted.headers)
            said.input_tokens = (await counted.parse()).input_tokens
        else:
            await _message(client, asked, said)


def problem(error: Exception) -> Problem:
    name = f"anthropic.{type(error).__name__}"
    if not isinstance(error, anthropic.APIStatusError):
        return Problem(name, None, None, str(error))
    body = error.body if isinstance(error.body, dict) else {}
    return Problem(name, error.status_code, body.get("error", {}).get("type"), str(error))


def fields(asked: Asked) -> dict[str, Any]:
    content: Any = asked.words
    if asked.task == "image":
        source = {"type": "base64", "media_type": "image/png", "data": PNG_BASE64}
        content = [{"type": "text", "text": asked.words}, {"type": "image", "source": source}]
    body: dict[str, Any] = {
        "model": MODEL,
        "messages": [{"role": "user", "content": content}],
        "max_tokens": asked.ceiling,
    }
    if asked.task.startswith("tools"):
        body["tools"] = [TOOL]
    elif asked.task == "structured":
        body["output_config"] = {"format": {"type": "json_schema", "schema": SCHEMA}}
    elif asked.task == "malformed":
        body["extra_body"] = {"max_tokens": "many"}
    if asked.stream:
        body["stream"] = True
    return body


async def _message(client: anthropic.AsyncAnthropic, asked: Asked, said: Said) -> None:
    raw = await client.messages.with_raw_response.create(**fields(asked))
    said.read_headers(raw.headers)
    parsed: Any = await raw.parse()
    if asked.stream:
        await _read_events(parsed, said)
        return
    said.choices = 1
    for block in parsed.content:
        if block.type == "text":
            said.text += block.text
        elif block.type == "tool_use":
            said.called(block.name, block.input)
    said.used(_read(parsed.usage), parsed.usage.output_tokens)


async def _read_events(events: Any, said: Said) -> None:
    async for event in events:
        match event.type:
            case "message_start":
                said.input_tokens = _read(event.message.usage)
            case "content_block_start" if event.content_block.type == "tool_use":
                said.called(event.content_block.name, "")
            case "content_block_delta":
                if event.delta.type == "text_delta":
                    said.text += event.delta.text
                elif event.delta.type == "input_json_delta":
                    said.called(said.tool or "", event.delta.partial_json)
            case "message_delta":
                said.output_tokens = event.usage.output_tokens
            case "message_stop":
                said.choices = 1


def _read(usage: Any) -> int:
    """This API counts what it had in its cache beside the input."""
    cached = (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
    return int(usage.input_tokens + cached)
