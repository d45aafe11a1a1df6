"""The scripted model API keeps its promises: pace, ceilings, faults and honest books."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from gateway.demo.ledger import Ending, digest
from gateway.demo.model_api import ModelApi
from gateway.demo.scripts import Fault, Gate, Script, ToolCall, silent
from tests.parts.serving import serving

HELLO = {"model": "demo-small", "messages": [{"role": "user", "content": "Say hello"}]}
CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
TOOL = {"name": "clock", "input_schema": {"type": "object", "required": ["zone"]}}


@asynccontextmanager
async def talking(api: ModelApi) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(api) as url, httpx.AsyncClient(base_url=url, timeout=10) as client:
        yield client


async def ask(api: ModelApi, path: str = CHAT, **fields: Any) -> httpx.Response:
    async with talking(api) as client:
        return await client.post(path, json={**HELLO, **fields})


def events(text: str) -> list[dict[str, Any]]:
    data = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in data if line != "[DONE]"]


async def test_the_same_request_gets_the_same_answer_and_another_seed_another() -> None:
    first, again, other = [
        (await ask(ModelApi(seed=seed))).json()["choices"] for seed in ("a", "a", "b")
    ]
    assert first == again != other


@pytest.mark.parametrize("stream", [False, True])
async def test_the_books_hold_what_the_usage_reports(stream: bool) -> None:
    api = ModelApi(script=Script(reasoning_tokens=5, cached_tokens=2))
    answer = await ask(api, stream=stream, stream_options={"include_usage": True}, n=3)
    usage = events(answer.text)[-1]["usage"] if stream else answer.json()["usage"]
    entry = await api.ledger.ended(0)
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (
        entry.input_tokens,
        entry.output_tokens,
    )
    assert entry.output_tokens == entry.delivered_tokens + 3 * 5
    assert usage["prompt_tokens_details"]["cached_tokens"] == 2
    assert usage["completion_tokens_details"]["reasoning_tokens"] == 3 * 5
    assert entry.ending is Ending.COMPLETED


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
async def test_no_choice_is_longer_than_its_ceiling(name: str) -> None:
    api = ModelApi(script=Script(reasoning_tokens=2))
    ceiling: dict[str, Any] = {name: 6}
    answer = (await ask(api, n=2, **ceiling)).json()
    assert [c["finish_reason"] for c in answer["choices"]] == ["length", "length"]
    assert [len(c["message"]["content"].split()) for c in answer["choices"]] == [4, 4]
    assert answer["usage"]["completion_tokens"] == api.ledger.entries[0].output_tokens == 12


async def test_reasoning_alone_can_use_up_the_ceiling() -> None:
    api = ModelApi(script=Script(reasoning_tokens=50))
    answer = (await ask(api, max_tokens=6)).json()
    assert answer["choices"][0]["message"]["content"] == ""
    assert answer["usage"]["completion_tokens"] == 6


async def test_only_who_asks_for_usage_sees_it_in_a_stream() -> None:
    unasked = events((await ask(ModelApi(), stream=True)).text)
    assert not any("usage" in chunk for chunk in unasked)
    asked = await ask(ModelApi(), stream=True, stream_options={"include_usage": True})
    *chunks, last = events(asked.text)
    assert all(chunk["usage"] is None and chunk["choices"] for chunk in chunks)
    assert last["usage"]["total_tokens"]
    assert last["choices"] == []


@pytest.mark.parametrize(("path", "extra"), [(CHAT, {}), (MESSAGES, {"max_tokens": 99})])
async def test_usage_can_be_left_out_or_be_nonsense(path: str, extra: dict[str, Any]) -> None:
    api = ModelApi()
    api.then(Script(report=silent), Script(report=lambda _: {"prompt_tokens": -1}))
    assert "usage" not in (await ask(api, path, **extra)).json()
    assert (await ask(api, path, **extra)).json()["usage"] == {"prompt_tokens": -1}


async def test_a_messages_stream_has_every_event_in_its_place() -> None:
    api = ModelApi(script=Script(pieces=("Hello", " you"), cached_tokens=3, reasoning_tokens=4))
    answer = await ask(api, MESSAGES, stream=True, max_tokens=50)
    kinds = [event["type"] for event in events(answer.text)]
    assert kinds == [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    entry = await api.ledger.ended(0)
    usage = events(answer.text)[-2]["usage"]
    assert usage["output_tokens"] == entry.output_tokens == 6
    assert usage["input_tokens"] + usage["cache_read_input_tokens"] == entry.input_tokens


async def test_a_tool_is_called_when_the_request_demands_it_or_the_script_says_so() -> None:
    function = {"name": "clock", "parameters": TOOL["input_schema"]}
    tools = [{"type": "function", "function": function}]
    demanded = await ask(ModelApi(), tools=tools, tool_choice="required")
    call = demanded.json()["choices"][0]["message"]["tool_calls"][0]["function"]
    assert call["name"] == "clock"
    assert list(json.loads(call["arguments"])) == ["zone"]

    scripted = ModelApi(script=Script(tool=ToolCall("clock", '{"zone": "UTC"}')))
    message = (await ask(scripted, MESSAGES, max_tokens=50, tools=[TOOL])).json()
    assert message["stop_reason"] == "tool_use"
    assert message["content"][0]["input"] == {"zone": "UTC"}


async def test_counting_tokens_agrees_with_the_usage_of_the_answer() -> None:
    api = ModelApi()
    said = {"max_tokens": 5, "system": "Be brief, please.", "tools": [TOOL]}
    counted = (await ask(api, f"{MESSAGES}/count_tokens", **said)).json()
    answered = (await ask(api, MESSAGES, **said)).json()
    assert counted == {"input_tokens": answered["usage"]["input_tokens"]}
    assert [entry.number for entry in api.ledger.served] == [1]


async def test_a_gate_lets_events_through_one_by_one() -> None:
    gate = Gate()
    api = ModelApi(script=Script(pieces=("one", "two"), gate=gate))
    async with talking(api) as client:
        gate.let(2)
        async with client.stream("POST", CHAT, json={**HELLO, "stream": True}) as answer:
            lines = answer.aiter_lines()
            await anext(lines)
            await gate.reached(2)
            assert api.ledger.entries[0].events_sent == 1
            gate.let(1)
            await anext(lines)
            assert '"one"' in await anext(lines)
            gate.open()
            rest = [line async for line in lines]
            assert rest[-2] == "data: [DONE]"
        assert (await api.ledger.ended(0)).ending is Ending.COMPLETED


@pytest.mark.parametrize("let", [0, 1, 4])
async def test_a_client_that_leaves_stops_the_model_in_every_phase(let: int) -> None:
    gate = Gate()
    api = ModelApi(script=Script(gate=gate))
    async with serving(api) as url, httpx.AsyncClient(base_url=url) as client:
        gate.let(let)
        asking = asyncio.create_task(client.post(CHAT, json={**HELLO, "stream": True}))
        await gate.reached(let)
        assert (api.ledger.in_flight, api.ledger.max_in_flight) == (1, 1)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        entry = await api.ledger.ended(0)
        assert entry.ending is Ending.CLIENT_LEFT
        assert entry.status == (200 if let else None)
        assert entry.events_sent == max(0, let - 1)
        assert entry.output_tokens == entry.delivered_tokens == max(0, let - 2)
        assert api.ledger.in_flight == 0


@pytest.mark.parametrize("stream", [False, True])
async def test_a_truncated_answer_breaks_the_connection(stream: bool) -> None:
    api = ModelApi(script=Script(truncate_after=3))
    with pytest.raises(httpx.RemoteProtocolError):
        await ask(api, stream=stream)
    assert (await api.ledger.ended(0)).ending is Ending.TRUNCATED


async def test_a_fault_has_its_status_its_words_and_its_headers() -> None:
    fault = Fault("rate_limit_error", "Slow down", "rate_limit_exceeded")
    api = ModelApi(script=Script(status=429, fault=fault, headers={"retry-after": "7"}))
    chat = await ask(api)
    assert (chat.status_code, chat.headers["retry-after"]) == (429, "7")
    assert chat.json()["error"]["code"] == "rate_limit_exceeded"
    message = await ask(api, MESSAGES, max_tokens=5)
    assert message.json()["error"]["type"] == "rate_limit_error"
    assert api.ledger.served == []


async def test_a_fault_in_mid_stream_is_the_last_event() -> None:
    script = Script(fault=Fault("overloaded_error", "Too busy"), fault_after=4)
    chat = events((await ask(ModelApi(script=script), stream=True)).text)
    assert len(chat) == 5
    assert chat[-1]["error"]["type"] == "overloaded_error"
    message = await ask(ModelApi(script=script), MESSAGES, stream=True, max_tokens=50)
    assert "event: error\n" in message.text
    assert events(message.text)[-1]["type"] == "error"


@pytest.mark.parametrize("stream", [False, True])
async def test_garbage_is_sent_as_it_was_scripted(stream: bool) -> None:
    answer = await ask(ModelApi(script=Script(body=b"<html>\xff")), stream=stream)
    assert answer.content == b"<html>\xff"


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        (CHAT, {"messages": None}, 400),
        (CHAT, {"model": None}, 400),
        (CHAT, {"n": 0}, 400),
        (CHAT, {"max_tokens": 0}, 400),
        (CHAT, {"model": "unknown"}, 404),
        (MESSAGES, {}, 400),
        (MESSAGES, {"max_tokens": 5, "model": None}, 400),
        (MESSAGES, {"max_tokens": 5, "messages": []}, 400),
        ("/v1/completions", {}, 404),
    ],
)
async def test_what_the_real_one_refuses_is_refused(
    path: str, fields: dict[str, Any], status: int
) -> None:
    api = ModelApi()
    answer = await ask(api, path, **fields)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]
    assert api.ledger.served == []


@pytest.mark.parametrize("body", [b"{", b"[]"])
async def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    async with talking(ModelApi()) as client:
        assert (await client.post(CHAT, content=body)).status_code == 400


async def test_only_its_own_key_is_taken_and_no_key_is_kept() -> None:
    api = ModelApi(api_key="sk-right")
    async with talking(api) as client:
        wrong = await client.get("/v1/models", headers={"authorization": "Bearer sk-wrong"})
        right = await client.get("/v1/models", headers={"authorization": "Bearer sk-right"})
        also = await client.get("/v1/models", headers={"x-api-key": "sk-right"})
    assert [wrong.status_code, right.status_code, also.status_code] == [401, 200, 200]
    assert [model["id"] for model in right.json()["data"]] == list(api.models)
    assert api.ledger.entries[1].credential == api.ledger.entries[2].credential
    assert api.ledger.entries[0].credential == digest("sk-wrong")
    assert "sk-" not in repr(api.ledger.entries)


async def test_the_books_hold_no_text() -> None:
    api = ModelApi()
    await ask(api, temperature=0.5)
    assert api.ledger.entries[0].options == {"model": "demo-small", "temperature": 0.5}
    assert "hello" not in repr(api.ledger.entries)


async def test_queued_scripts_come_first_and_in_order() -> None:
    api = ModelApi(script=Script(pieces=("always",)))
    api.then(Script(pieces=("first",)), Script(pieces=("second",)))
    said = [(await ask(api)).json()["choices"][0]["message"]["content"] for _ in range(3)]
    assert said == ["first", "second", "always"]


async def test_a_demo_can_take_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    real_sleep = asyncio.sleep

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await real_sleep(0)

    script = Script(pieces=("one", "two"))
    api = ModelApi(script=script, first_token_seconds=0.3, tokens_per_second=50)
    async with talking(api) as client:
        monkeypatch.setattr("gateway.demo.model_api.asyncio.sleep", sleep)
        await client.post(CHAT, json={**HELLO, "stream": True})
        monkeypatch.undo()
    assert [seconds for seconds in slept if seconds in (0.3, 1 / 50)] == [0.3, 1 / 50, 1 / 50]
