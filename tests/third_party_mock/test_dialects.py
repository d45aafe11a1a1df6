"""Our reading of the formats, held against somebody else's writing of them."""

import itertools
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx
import openai
import pytest
from google.genai import errors
from google.genai.types import FunctionDeclaration, GenerateContentConfig, Tool

from gateway.decision.finished import Ending, Finished
from gateway.decision.settlement import Basis
from gateway.facts.usage import Usage
from tests.parts.gauger_inside import GaugerInside
from tests.parts.genai_sdk import genai_sdk
from tests.parts.two_sdks import anthropic_sdk, openai_sdk

pytestmark = [
    pytest.mark.sdks,
    pytest.mark.timeout(400),  # npm may have to install it
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("third_party_mock"),
    pytest.mark.filterwarnings("ignore:FUNCTION_CALL is not a valid FinishReason:UserWarning"),
]
"""The last: a reason that aimock writes and the Gemini API does not have."""

MODEL = "any-model"
HELLO, TIME = "Say hello", "What time is it"
SAID = "Hello, and welcome to somebody else's reading of the formats."
ZONE: dict[str, Any] = {"type": "object", "properties": {"zone": {"type": "string"}}}
REPORTED = {HELLO: (17, 23), TIME: (31, 7)}
"""Input and output tokens, as the fixtures tell it to."""
KEYS = (f"sk-{secrets.token_hex(4)}-{number}" for number in itertools.count())


@dataclass
class Heard:
    text: str = ""
    tool: str | None = None
    used: tuple[int | None, int | None] | None = None
    """Input and output tokens, as the SDK reports them."""


Ask = Callable[[str, str, str, bool], Awaitable[Heard]]


async def chat(url: str, key: str, words: str, stream: bool) -> Heard:
    heard = Heard()
    tool: Any = {"type": "function", "function": {"name": "clock", "parameters": ZONE}}
    given: Any = {
        "model": MODEL,
        "messages": [{"role": "user", "content": words}],
        "tools": [tool],
        "max_tokens": 100,
    }
    async with openai_sdk(url, key) as client:
        if not stream:
            whole = await client.chat.completions.create(**given)
            message = whole.choices[0].message
            heard.text = message.content or ""
            for call in message.tool_calls or []:
                heard.tool = f"{call.function.name} {call.function.arguments}"
            heard.used = (whole.usage.prompt_tokens, whole.usage.completion_tokens)
            return heard
        name = arguments = ""
        async for chunk in await client.chat.completions.create(**given, stream=True):
            assert chunk.usage is None  # who did not ask for it sees none
            for choice in chunk.choices:
                heard.text += choice.delta.content or ""
                for call in choice.delta.tool_calls or []:
                    name += call.function.name or ""
                    arguments += call.function.arguments or ""
        heard.tool = f"{name} {arguments}" if name else None
    return heard


async def responses(url: str, key: str, words: str, stream: bool) -> Heard:
    heard = Heard()
    tool: Any = {"type": "function", "name": "clock", "parameters": ZONE, "strict": False}
    given: Any = {"model": MODEL, "input": words, "tools": [tool], "max_output_tokens": 100}
    async with openai_sdk(url, key) as client:
        if stream:
            whole: Any = None
            async for event in await client.responses.create(**given, stream=True):
                if event.type == "response.output_text.delta":
                    heard.text += event.delta
                elif event.type == "response.completed":
                    whole = event.response
        else:
            whole = await client.responses.create(**given)
            heard.text = whole.output_text
    for item in whole.output:
        if item.type == "function_call":
            heard.tool = f"{item.name} {item.arguments}"
    heard.used = (whole.usage.input_tokens, whole.usage.output_tokens)
    return heard


async def message(url: str, key: str, words: str, stream: bool) -> Heard:
    heard = Heard()
    given: Any = {
        "model": MODEL,
        "messages": [{"role": "user", "content": words}],
        "tools": [{"name": "clock", "input_schema": ZONE}],
        "max_tokens": 100,
    }
    async with anthropic_sdk(url, key) as client:
        if stream:
            async with client.messages.stream(**given) as events:
                whole = await events.get_final_message()
        else:
            whole = await client.messages.create(**given)
    for block in whole.content:
        if block.type == "text":
            heard.text += block.text
        elif block.type == "tool_use":
            heard.tool = f'{block.name} {{"zone": "{block.input["zone"]}"}}'
    heard.used = (whole.usage.input_tokens, whole.usage.output_tokens)
    return heard


async def content(url: str, key: str, words: str, stream: bool) -> Heard:
    heard = Heard()
    tool = Tool(
        function_declarations=[FunctionDeclaration(name="clock", parameters_json_schema=ZONE)]
    )
    given: Any = {
        "model": MODEL,
        "contents": words,
        "config": GenerateContentConfig(tools=[tool], max_output_tokens=100),
    }
    async with (
        httpx.AsyncClient(timeout=20) as http,  # else aiohttp, if that is here
        genai_sdk(url, key, api_version="v1beta", httpx_async_client=http) as client,
    ):
        if stream:
            answers = [c async for c in await client.models.generate_content_stream(**given)]
        else:
            answers = [await client.models.generate_content(**given)]
    for answer in answers:
        for part in answer.parts or []:
            heard.text += part.text or ""
            if part.function_call is not None:
                zone = (part.function_call.args or {})["zone"]
                heard.tool = f'{part.function_call.name} {{"zone": "{zone}"}}'
        usage = answer.usage_metadata
        if usage is not None:
            heard.used = (usage.prompt_token_count, usage.candidates_token_count)
    return heard


each_dialect = pytest.mark.parametrize("ask", [chat, responses, message, content])
plain_or_not = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])


async def settled(inside: GaugerInside, key: str) -> Finished:
    (finished,) = await inside.finished(key)
    return finished


@each_dialect
@plain_or_not
@pytest.mark.parametrize("words", [HELLO, TIME], ids=["text", "tool"])
async def test_what_it_reports_is_what_is_charged(
    inside: GaugerInside, ask: Ask, stream: bool, words: str
) -> None:
    key, (read, written) = next(KEYS), REPORTED[words]
    heard = await ask(inside.url, key, words, stream)
    if words == HELLO:
        assert (heard.text, heard.tool) == (SAID, None)
    else:
        assert heard.tool == 'clock {"zone": "Europe/Stockholm"}'
    assert heard.used in ((read, written), None)
    finished = await settled(inside, key)
    assert finished.ending is Ending.COMPLETED
    settlement = finished.settlement
    assert settlement is not None
    assert settlement.basis is Basis.REPORTED
    assert (settlement.input_tokens, settlement.output_tokens) == (read, written)
    assert (settlement.usage.input_tokens, settlement.usage.output_tokens) == (read, written)


async def test_embeddings_are_read_too(inside: GaugerInside) -> None:
    key = next(KEYS)
    async with openai_sdk(inside.url, key) as client:
        answer = await client.embeddings.create(model=MODEL, input=HELLO)
    assert answer.data[0].embedding
    finished = await settled(inside, key)
    assert finished.settlement is not None
    assert finished.settlement.usage == Usage(answer.usage.prompt_tokens, 0)


@each_dialect
async def test_the_callers_key_is_replaced_by_the_one_it_takes(
    inside: GaugerInside, ask: Ask
) -> None:
    """It answers 401 to any other."""
    plain = False
    assert (await ask(inside.url, next(KEYS), HELLO, plain)).text == SAID


async def failure(inside: GaugerInside, ask: Ask, words: str, stream: bool) -> tuple[Any, Finished]:
    key = next(KEYS)
    with pytest.raises((openai.OpenAIError, anthropic.AnthropicError, errors.APIError)) as raised:
        await ask(inside.url, key, words, stream)
    return raised.value, await settled(inside, key)


def status(error: Any) -> int | None:
    found = error.code if isinstance(error, errors.APIError) else error.status_code
    assert found is None or isinstance(found, int)
    return found


@each_dialect
@plain_or_not
@pytest.mark.parametrize(("words", "answered"), [("Fail", 500), ("Refuse", 429)])
async def test_its_own_errors_pass_and_cost_no_tokens(
    inside: GaugerInside, ask: Ask, stream: bool, words: str, answered: int
) -> None:
    error, finished = await failure(inside, ask, words, stream)
    assert status(error) == answered
    assert error.response.headers.get("retry-after") == ("1" if answered == 429 else None)
    assert finished.upstream_status == answered
    assert finished.settlement is not None
    assert finished.settlement.basis is Basis.RELEASED


@each_dialect
@plain_or_not
async def test_it_hangs_up_before_a_word(inside: GaugerInside, ask: Ask, stream: bool) -> None:
    error, finished = await failure(inside, ask, "Hang up", stream)
    assert status(error) == 502
    assert finished.ending is Ending.UPSTREAM_FAILED


@each_dialect
async def test_a_stream_that_it_breaks_off_is_an_error(inside: GaugerInside, ask: Ask) -> None:
    stream = True
    error, finished = await failure(inside, ask, "Break off", stream)
    assert "broke off" in str(error)
    assert finished.ending is Ending.UPSTREAM_TRUNCATED
    assert finished.settlement is not None
    assert finished.settlement.output_tokens > 0


async def test_what_is_no_json_passes_and_is_charged_by_its_length(inside: GaugerInside) -> None:
    key = next(KEYS)
    async with openai_sdk(inside.url, key) as client:
        raw = await client.chat.completions.with_raw_response.create(
            model=MODEL, messages=[{"role": "user", "content": "Babble"}]
        )
    assert "chaos" in raw.text
    finished = await settled(inside, key)
    assert finished.settlement is not None
    assert finished.settlement.basis is Basis.DELIVERED
