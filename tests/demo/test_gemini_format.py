"""The scripted model API in Gemini's words: honest books, and the real one's habits."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from gateway.demo.ledger import Ending, digest
from gateway.demo.model_api import ModelApi
from gateway.demo.scripts import Fault, Script, ToolCall, silent
from tests.parts.serving import serving

HELLO = {"contents": [{"role": "user", "parts": [{"text": "Say hello"}]}]}
MODEL = "/v1beta/models/demo-small"
PLAIN, STREAM = f"{MODEL}:generateContent", f"{MODEL}:streamGenerateContent?alt=sse"
CLOCK = {"functionDeclarations": [{"name": "clock", "parameters": {"required": ["zone"]}}]}
ANY = {"functionCallingConfig": {"mode": "ANY"}}


@asynccontextmanager
async def talking(api: ModelApi) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(api) as url, httpx.AsyncClient(base_url=url, timeout=10) as client:
        yield client


async def ask(api: ModelApi, path: str = PLAIN, **fields: Any) -> httpx.Response:
    async with talking(api) as client:
        return await client.post(path, json={**HELLO, **fields})


def chunks(answer: httpx.Response) -> list[dict[str, Any]]:
    if answer.headers["content-type"] != "text/event-stream":
        return [answer.json()]
    lines = answer.text.splitlines()
    return [json.loads(line.removeprefix("data: ")) for line in lines if line]


@pytest.mark.parametrize("path", [PLAIN, STREAM])
async def test_the_books_hold_what_the_usage_reports(path: str) -> None:
    api = ModelApi(script=Script(reasoning_tokens=5, cached_tokens=2))
    answer = await ask(api, path, generationConfig={"candidateCount": 3})
    usage = chunks(answer)[-1]["usageMetadata"]
    entry = await api.ledger.ended(0)
    assert usage["promptTokenCount"] == entry.input_tokens
    assert usage["candidatesTokenCount"] == entry.delivered_tokens
    assert usage["thoughtsTokenCount"] == 15
    assert usage["cachedContentTokenCount"] == 2
    assert entry.output_tokens == entry.delivered_tokens + 15
    assert usage["totalTokenCount"] == entry.input_tokens + entry.output_tokens
    assert entry.ending is Ending.COMPLETED


async def test_counts_are_cumulative_and_a_zero_is_left_out() -> None:
    api = ModelApi(script=Script(pieces=("a", "b")))
    told = [chunk["usageMetadata"] for chunk in chunks(await ask(api, STREAM))]
    assert [usage["candidatesTokenCount"] for usage in told] == [1, 2, 2]
    assert "thoughtsTokenCount" not in told[0]
    api = ModelApi(script=Script(reasoning_tokens=9))
    (answer,) = chunks(await ask(api, generationConfig={"maxOutputTokens": 9}))
    assert "candidatesTokenCount" not in answer["usageMetadata"]
    assert answer["candidates"][0]["finishReason"] == "MAX_TOKENS"


@pytest.mark.parametrize("path", [PLAIN, STREAM])
async def test_usage_can_be_left_out(path: str) -> None:
    answer = await ask(ModelApi(script=Script(report=silent)), path)
    assert all("usageMetadata" not in chunk for chunk in chunks(answer))


async def test_a_function_is_called_in_one_piece() -> None:
    called = {"functionCall": {"name": "clock", "args": {"zone": "UTC"}}}
    api = ModelApi(script=Script(tool=ToolCall("clock", '{"zone": "UTC"}')))
    for path in (PLAIN, STREAM):
        first = chunks(await ask(api, path))[0]
        assert first["candidates"][0]["content"]["parts"] == [called]
    (demanded,) = chunks(await ask(ModelApi(), tools=[CLOCK], toolConfig=ANY))
    (part,) = demanded["candidates"][0]["content"]["parts"]
    assert part["functionCall"]["name"] == "clock"
    assert set(part["functionCall"]["args"]) == {"zone"}


async def test_a_fault_is_worded_with_its_code_plain_and_in_mid_stream() -> None:
    fault = Fault("RESOURCE_EXHAUSTED", "Later")
    worded = {"error": {"code": 429, "message": "Later", "status": "RESOURCE_EXHAUSTED"}}
    answer = await ask(ModelApi(script=Script(status=429, fault=fault)))
    assert (answer.status_code, answer.json()) == (429, worded)
    streamed = await ask(ModelApi(script=Script(fault=fault, fault_after=2)), STREAM)
    assert chunks(streamed)[-1] == worded


@pytest.mark.parametrize(
    ("path", "fields", "code", "status"),
    [
        (PLAIN, {"contents": []}, 400, "INVALID_ARGUMENT"),
        (PLAIN, {"generationConfig": {"candidateCount": 9}}, 400, "INVALID_ARGUMENT"),
        (PLAIN, {"generationConfig": {"maxOutputTokens": 0}}, 400, "INVALID_ARGUMENT"),
        ("/v1/models/other:generateContent", {}, 404, "NOT_FOUND"),
        (f"{MODEL}:embedContent", {}, 404, "NOT_FOUND"),
        (f"{MODEL}:streamGenerateContent", {}, 404, "NOT_FOUND"),
        ("/v1beta/files", {}, 404, "NOT_FOUND"),
    ],
)
async def test_what_the_real_one_refuses_is_refused(
    path: str, fields: dict[str, Any], code: int, status: str
) -> None:
    async with talking(ModelApi()) as client:
        body = {**HELLO, **fields}
        answer = await client.post(path, json=body, headers={"x-goog-api-key": "k"})
    assert answer.status_code == code
    error = answer.json()["error"]
    assert (error["code"], error["status"]) == (code, status)


async def test_only_its_own_key_is_taken_and_neither_key_nor_text_is_kept() -> None:
    api = ModelApi(api_key="right")
    async with talking(api) as client:
        statuses = [
            (await client.post(PLAIN, json=HELLO, headers={"x-goog-api-key": key})).status_code
            for key in ("right", "wrong")
        ]
    assert statuses == [200, 401]
    assert api.ledger.entries[0].credential == digest("right")
    assert "right" not in repr(api.ledger.entries)
    assert "Say hello" not in repr(api.ledger.entries)


async def test_models_are_listed_described_and_count_tokens() -> None:
    async with talking(ModelApi()) as client:
        listed = (await client.get("/v1/models", headers={"x-goog-api-key": "k"})).json()
        described = (await client.get(MODEL)).json()
        counted = (await client.post(f"{MODEL}:countTokens", json=HELLO)).json()
        missing = await client.get("/v1beta/models/other")
    assert [model["name"] for model in listed["models"]] == [
        "models/demo-small",
        "models/demo-large",
    ]
    assert described == listed["models"][0]
    assert counted == {"totalTokens": 2 + 1 + 3}  # the role is a word, too
    assert missing.status_code == 404
