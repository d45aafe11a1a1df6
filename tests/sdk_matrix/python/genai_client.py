"""The google-genai SDK: as it comes, and with the retries that it can be told to make."""

from typing import Any

import httpx
from google.genai import errors, types
from google.genai.client import AsyncClient

from tests.parts.genai_sdk import genai_sdk
from tests.sdk_matrix.python.asked import (
    MODEL,
    PNG,
    SCHEMA,
    TIMEOUT_S,
    ZONE,
    Asked,
    Cannot,
    Problem,
    Said,
)

TOOL = types.Tool(
    function_declarations=[types.FunctionDeclaration(name="clock", parameters_json_schema=ZONE)]
)
ELSEWHERE = ("responses", "completions")
RETRYING = "google-genai with retry_options"


async def ask(asked: Asked, said: Said) -> None:
    if asked.task.startswith(ELSEWHERE):
        raise Cannot("its API has none")
    options: dict[str, Any] = {}
    if asked.client == RETRYING:
        options["retry_options"] = types.HttpRetryOptions(attempts=3)
    if asked.task == "malformed":
        options["extra_body"] = {"generationConfig": {"maxOutputTokens": "many"}}
    async with (
        httpx.AsyncClient(timeout=TIMEOUT_S) as http,  # else aiohttp, if that is here
        genai_sdk(asked.root, asked.keyed(), httpx_async_client=http, **options) as client,
    ):
        match asked.task:
            case "embeddings":
                await client.models.embed_content(model=MODEL, contents=asked.words)
            case "wrong route":
                await client.files.list()
            case "wrong method":
                await client.models.delete(model=MODEL)
            case "count":
                counted = await client.models.count_tokens(model=MODEL, contents=asked.words)
                said.input_tokens = counted.total_tokens
                if counted.sdk_http_response is not None:
                    said.read_headers(counted.sdk_http_response.headers)
            case _:
                await _generate(client, asked, said)


def problem(error: Exception) -> Problem:
    name = f"google.genai.{type(error).__name__}"
    if isinstance(error, errors.APIError):
        return Problem(name, error.code, error.status, str(error))
    return Problem(name, None, None, str(error))


async def _generate(client: AsyncClient, asked: Asked, said: Said) -> None:
    contents: Any = asked.words
    config: dict[str, Any] = {"max_output_tokens": asked.ceiling}
    if asked.task == "image":
        contents = [asked.words, types.Part.from_bytes(data=PNG, mime_type="image/png")]
    elif asked.task.startswith("tools"):
        config["tools"] = [TOOL]
    elif asked.task == "choices":
        config["candidate_count"] = 2
    elif asked.task == "structured":
        config |= {"response_mime_type": "application/json", "response_json_schema": SCHEMA}
    given: Any = {
        "model": MODEL,
        "contents": contents,
        "config": types.GenerateContentConfig(**config),
    }
    if not asked.stream:
        _read(await client.models.generate_content(**given), said)
        return
    async for chunk in await client.models.generate_content_stream(**given):
        _read(chunk, said)


def _read(answer: types.GenerateContentResponse, said: Said) -> None:
    if answer.sdk_http_response is not None and answer.sdk_http_response.headers:
        said.read_headers(answer.sdk_http_response.headers)
    for candidate in answer.candidates or []:
        said.choices = max(said.choices, (candidate.index or 0) + 1)
    for part in (answer.parts or []) if answer.candidates else []:
        said.text += part.text or ""
        if part.function_call is not None:
            said.called(part.function_call.name or "", part.function_call.args or {})
    usage = answer.usage_metadata
    if usage is not None:
        written = (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)
        said.used(usage.prompt_token_count, written)
