"""Every refusal that the google-genai SDK can meet, as its own typed error; and what is charged."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import pytest
from google.genai import errors
from google.genai.client import AsyncClient
from google.genai.types import GenerateContentConfig, HttpOptions

from gateway.demo.ledger import digest
from gateway.demo.model_api import ModelApi
from gateway.demo.scripts import Gate, Script
from tests.end_to_end.stage import MODEL, POLICIES, WORDS, Door, Stage
from tests.parts.gauger_inside import gauger_inside
from tests.parts.gauger_process import gauger, run
from tests.parts.genai_sdk import at_once, genai_sdk
from tests.parts.raw_server import Peer, raw_server, saying_once, unused_port
from tests.parts.raw_server import Script as Said
from tests.parts.raw_server import silent as mute

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("end_to_end")]

STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
CHUNK = b'data: {"candidates":[{"content":{"role":"model","parts":[{"text":"one"}]}}]}\r\n\r\n'
BODY = {"contents": [{"parts": [{"text": WORDS}]}]}


async def generate(client: AsyncClient, max_output_tokens: int | None = 5, **config: Any) -> None:
    await client.models.generate_content(
        model=MODEL,
        contents=WORDS,
        config=GenerateContentConfig(max_output_tokens=max_output_tokens, **config),
    )


async def error(client: AsyncClient, *args: Any, **config: Any) -> errors.APIError:
    with pytest.raises(errors.APIError) as raised:
        await generate(client, *args, **config)
    return raised.value


def detail(error: errors.APIError, kind: str) -> dict[str, Any] | None:
    """One of google.rpc's standard details."""
    details = error.details["error"]["details"]
    return next((d for d in details if d["@type"].endswith(f"/google.rpc.{kind}")), None)


def reason(error: errors.APIError) -> str:
    info = detail(error, "ErrorInfo")
    assert info is not None
    assert info["domain"] == "gauger"
    return str(info["reason"])


class TestLimits:
    async def test_the_sixth_in_a_minute_is_told_how_long_to_wait(self, stage: Stage) -> None:
        door = await stage.behind("five-a-minute")
        async with genai_sdk(door.url, door.key) as client:
            for _ in range(5):
                await generate(client)
            refused = await error(client)
        assert isinstance(refused, errors.ClientError)
        assert (refused.code, refused.status) == (429, "RESOURCE_EXHAUSTED")
        assert reason(refused) == "RATE_LIMIT_EXCEEDED"
        headers = refused.response.headers
        retry = detail(refused, "RetryInfo")
        assert retry is not None
        assert retry["retryDelay"] == f"{headers['retry-after']}s"
        assert headers["ratelimit-policy"] == '"five-a-minute";q=5;w=60'
        assert headers["ratelimit"].startswith('"five-a-minute";r=0;t=')
        assert headers["x-request-id"]
        assert len(door.model.ledger.entries) == 5

    async def test_told_to_retry_it_spends_its_attempts_at_once(self, stage: Stage) -> None:
        """It reads neither `Retry-After` nor `x-should-retry`; nothing reaches the model."""
        door = await stage.behind("five-a-minute")
        async with genai_sdk(door.url, door.key) as client:
            for _ in range(5):
                await generate(client)
            refused = await error(client, http_options=HttpOptions(retry_options=at_once(3)))
        assert refused.code == 429
        assert len(door.model.ledger.entries) == 5
        assert door.gauger is not None
        decided = await door.gauger.decisions(door.key, 8)
        assert [one["decision"] for one in decided].count("throttle") == 3

    async def test_a_stream_is_refused_before_it_begins(self, stage: Stage) -> None:
        door = await stage.behind("five-a-minute")
        async with genai_sdk(door.url, door.key) as client:
            for _ in range(5):
                await generate(client)
            stream = await client.models.generate_content_stream(model=MODEL, contents=WORDS)
            with pytest.raises(errors.ClientError) as raised:  # the SDK asks only now
                await anext(stream)
        assert (raised.value.code, raised.value.status) == (429, "RESOURCE_EXHAUSTED")

    async def test_what_can_never_fit_is_an_invalid_argument(self, stage: Stage) -> None:
        door = await stage.behind("narrow")
        async with genai_sdk(door.url, door.key) as client:
            refused = await error(client, 5000)
        assert (refused.code, refused.status) == (400, "INVALID_ARGUMENT")
        assert reason(refused) == "REQUEST_EXCEEDS_LIMIT"
        assert door.model.ledger.entries == []

    async def test_a_second_stream_waits_for_the_first(self, stage: Stage) -> None:
        door = await stage.behind("narrow")
        gate = Gate()
        door.model.then(Script(gate=gate))
        async with genai_sdk(door.url, door.key) as client:
            gate.let(2)
            stream = await client.models.generate_content_stream(
                model=MODEL, contents=WORDS, config=GenerateContentConfig(max_output_tokens=5)
            )
            await anext(stream)
            refused = await error(client)
            gate.open()
            [chunk async for chunk in stream]
        assert refused.code == 429
        assert reason(refused) == "CONCURRENCY_LIMIT_EXCEEDED"
        assert detail(refused, "RetryInfo") == {
            "@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": "1s",
        }

    async def test_the_remaining_quota_is_readable_on_every_answer(self, stage: Stage) -> None:
        door = await stage.behind("five-a-minute")
        async with genai_sdk(door.url, door.key) as client:
            answer = await client.models.generate_content(model=MODEL, contents=WORDS)
        assert answer.sdk_http_response is not None
        headers = answer.sdk_http_response.headers or {}
        assert headers["ratelimit"].startswith('"five-a-minute";r=4;t=')


class TestRequests:
    async def test_a_wrong_field_is_named(self, stage: Stage) -> None:
        door = await stage.behind("generous")
        many = HttpOptions(extra_body={"generationConfig": {"maxOutputTokens": "many"}})
        async with genai_sdk(door.url, door.key) as client:
            refused = await error(client, http_options=many)
        assert (refused.code, refused.status) == (400, "INVALID_ARGUMENT")
        field = "generationConfig.maxOutputTokens"
        assert detail(refused, "BadRequest") == {
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{"field": field, "description": refused.message}],
        }
        assert field in (refused.message or "")
        assert door.model.ledger.entries == []

    async def test_a_field_in_both_spellings_is_refused(self, stage: Stage) -> None:
        door = await stage.behind("generous")
        twice = {"maxOutputTokens": 5, "max_output_tokens": 5000}
        body = {**BODY, "generationConfig": twice}
        answer = await posted(door, f"/v1beta/models/{MODEL}:generateContent", body=body)
        assert answer.status_code == 400
        assert '"generationConfig.maxOutputTokens"' in answer.json()["error"]["message"]
        assert door.model.ledger.entries == []

    async def test_a_method_that_is_not_metered_is_not_forwarded(self, stage: Stage) -> None:
        door = await stage.behind("generous")
        for api_version in ("v1", "v1beta"):
            async with genai_sdk(door.url, door.key, api_version=api_version) as client:
                for asking in (
                    lambda: client.models.embed_content(model=MODEL, contents=WORDS),
                    lambda: client.caches.get(name="cachedContents/a"),
                    lambda: client.files.get(name="a"),
                ):
                    with pytest.raises(errors.ClientError) as raised:
                        await asking()
                    assert (raised.value.code, raised.value.status) == (404, "NOT_FOUND")
        assert door.model.ledger.entries == []

    @pytest.mark.parametrize("query", ["", "?alt=json", "?alt=proto", "?ALT=sse", "?alt=sse,json"])
    async def test_a_stream_in_another_form_is_refused_and_the_form_is_named(
        self, stage: Stage, query: str
    ) -> None:
        door = await stage.behind("generous")
        path = f"/v1beta/models/{MODEL}:streamGenerateContent{query}"
        answer = await posted(door, path)
        assert answer.status_code == 400
        assert "?alt=sse" in answer.json()["error"]["message"]
        assert door.model.ledger.entries == []

    @pytest.mark.parametrize(
        "query",
        ["fields=candidates", "$fields=candidates", "alt=proto", "callback=f", "%24alt=sse"],
    )
    @pytest.mark.parametrize("verb", ["generateContent?", "streamGenerateContent?alt=sse&"])
    async def test_a_parameter_that_could_hide_the_usage_is_refused(
        self, stage: Stage, verb: str, query: str
    ) -> None:
        door = await stage.behind("generous")
        answer = await posted(door, f"/v1beta/models/{MODEL}:{verb}{query}")
        assert answer.status_code == 400
        assert "candidates" not in answer.text
        assert door.model.ledger.entries == []

    @pytest.mark.parametrize("name", ["key", "Key", "%6Bey", "$key", "access_token"])
    async def test_a_key_in_the_url_is_refused_by_name(self, stage: Stage, name: str) -> None:
        door = await stage.behind("generous")
        path = f"/v1beta/models/{MODEL}:generateContent?{name}=sk-in-the-url"
        answer = await posted(door, path)
        assert answer.status_code == 400
        assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"
        assert "x-goog-api-key" in answer.json()["error"]["message"]
        assert "sk-in-the-url" not in answer.text
        assert door.model.ledger.entries == []

    async def test_a_header_that_could_hide_the_usage_does_not_go_on(self, stage: Stage) -> None:
        door = await stage.behind("generous")
        path = f"/v1beta/models/{MODEL}:generateContent"
        answer = await posted(door, path, headers={"x-goog-fieldmask": "candidates"})
        assert answer.status_code == 200
        assert "x-goog-fieldmask" not in door.model.ledger.entries[0].headers

    async def test_without_a_key_nobody_asks(self, stage: Stage) -> None:
        door = await stage.behind("generous")
        async with httpx.AsyncClient(base_url=door.url) as http:
            answer = await http.post(f"/v1beta/models/{MODEL}:generateContent", json=BODY)
        assert answer.status_code == 401
        assert answer.json()["error"]["status"] == "UNAUTHENTICATED"
        assert "x-goog-api-key" in answer.json()["error"]["message"]

    async def test_a_key_that_was_handed_out_is_taken_and_never_passed_on(
        self, stage: Stage, tmp_path: Path
    ) -> None:
        accounts = tmp_path / "accounts.yaml"
        key = await run("account", "add", "acme", "--accounts", str(accounts))
        async with gauger(
            POLICIES / "generous.yaml",
            stage.url,
            *("--accounts", str(accounts), "--upstream-key-env", "THE_MODELS_KEY"),
            environ={"THE_MODELS_KEY": "the-model-apis-own"},
        ) as running:
            stage.model = ModelApi(api_key="the-model-apis-own")
            async with genai_sdk(running.url, key) as client:
                await generate(client)
            async with genai_sdk(running.url, "made-up") as client:
                refused = await error(client)
        (entry,) = stage.model.ledger.entries
        assert entry.headers["x-goog-api-key"] == digest("the-model-apis-own")
        assert "authorization" not in entry.headers
        assert (refused.code, refused.status) == (401, "UNAUTHENTICATED")
        assert reason(refused) == "API_KEY_INVALID"


async def posted(
    door: Door,
    path: str,
    *,
    body: dict[str, Any] = BODY,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> httpx.Response:
    """As a caller without the SDK, who may send anything."""
    async with httpx.AsyncClient(base_url=door.url) as http:
        key = {"x-goog-api-key": door.key}
        return await http.post(path, json=body, headers={**key, **headers})


@asynccontextmanager
async def client_of(said: Said, **settings: Any) -> AsyncIterator[AsyncClient]:
    """A gauger of its own before a model API that says these bytes."""
    async with (
        raw_server(said) as server,
        gauger_inside(POLICIES / "generous.yaml", server.url, **settings) as inside,
        genai_sdk(inside.url, "faults") as client,
    ):
        yield client


class TestFaults:
    async def test_nobody_listens(self) -> None:
        nowhere = f"http://127.0.0.1:{unused_port()}"
        async with (
            gauger_inside(POLICIES / "generous.yaml", nowhere) as inside,
            genai_sdk(inside.url, "faults") as client,
        ):
            refused = await error(client)
        assert isinstance(refused, errors.ServerError)
        assert (refused.code, refused.status) == (502, "UNAVAILABLE")
        assert reason(refused) == "UPSTREAM_UNREACHABLE"

    async def test_it_never_answers(self) -> None:
        async with client_of(mute, first_byte_timeout_s=0.2) as client:
            refused = await error(client)
        assert (refused.code, refused.status) == (504, "DEADLINE_EXCEEDED")

    async def test_it_falls_silent_in_mid_stream(self) -> None:
        async def one_and_no_more(peer: Peer) -> None:
            await peer.request()
            await peer.say(STREAM_HEAD + CHUNK)
            await peer.closed.wait()

        async with client_of(one_and_no_more, idle_timeout_s=0.2) as client:
            stream = await client.models.generate_content_stream(model=MODEL, contents=WORDS)
            assert (await anext(stream)).text == "one"
            with pytest.raises(errors.ServerError, match="broke off") as raised:
                await anext(stream)
        assert (raised.value.code, raised.value.status) == (502, "UNAVAILABLE")

    async def test_the_store_is_away(self) -> None:
        async with (
            gauger_inside(
                POLICIES / "generous.yaml",
                "http://127.0.0.1:1",
                store=f"redis://127.0.0.1:{unused_port()}/0",
            ) as inside,
            genai_sdk(inside.url, "faults") as client,
        ):
            refused = await error(client)
        assert (refused.code, refused.status) == (503, "UNAVAILABLE")
        assert reason(refused) == "GATEWAY_UNAVAILABLE"
        assert refused.response.headers["retry-after"] == "1"

    async def test_the_body_is_too_large(self) -> None:
        async with client_of(saying_once(), body_limit_bytes=50) as client:
            refused = await error(client)
        assert (refused.code, reason(refused)) == (413, "REQUEST_TOO_LARGE")
