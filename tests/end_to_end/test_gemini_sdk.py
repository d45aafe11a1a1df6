"""The google-genai SDK sees no difference between the model API and gauger in front of it."""

import asyncio

import pytest
from google.genai import errors
from google.genai.client import AsyncClient
from google.genai.types import (
    Content,
    FunctionDeclaration,
    GenerateContentConfig,
    GenerateContentResponse,
    HttpOptions,
    Part,
    ThinkingConfig,
    Tool,
)

from gateway.demo.ledger import Ending
from gateway.demo.scripts import Fault, Gate, Script, ToolCall
from tests.end_to_end.stage import MODEL, WORDS, Door
from tests.parts.genai_sdk import at_once, genai_sdk

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("end_to_end")]

CLOCK = Tool(
    function_declarations=[
        FunctionDeclaration(
            name="clock",
            parameters_json_schema={"type": "object", "required": ["zone"]},
        )
    ]
)


async def generate(client: AsyncClient, **config: object) -> GenerateContentResponse:
    return await client.models.generate_content(
        model=MODEL, contents=WORDS, config=GenerateContentConfig.model_validate(config)
    )


@pytest.mark.parametrize("api_version", ["v1", "v1beta"])
async def test_content_is_generated(door: Door, api_version: str) -> None:
    door.model.script = Script(pieces=("Hello", " you"), cached_tokens=2, reasoning_tokens=3)
    async with genai_sdk(door.url, door.key, api_version=api_version) as client:
        answer = await generate(client, max_output_tokens=50)
    assert answer.text == "Hello you"
    assert answer.sdk_http_response is not None
    assert (answer.sdk_http_response.headers or {})["x-request-id"]
    entry = await door.model.ledger.ended(0)
    assert entry.path == f"/{api_version}/models/{MODEL}:generateContent"
    usage = answer.usage_metadata
    assert usage is not None
    assert usage.prompt_token_count == entry.input_tokens
    assert usage.cached_content_token_count == 2
    assert (usage.candidates_token_count, usage.thoughts_token_count) == (2, 3)
    assert entry.output_tokens == 5


async def test_a_stream_arrives_chunk_by_chunk(door: Door) -> None:
    gate = Gate()
    door.model.script = Script(pieces=("one", " two", " three"), gate=gate)
    async with genai_sdk(door.url, door.key) as client:
        gate.let(1)  # the head
        stream = await client.models.generate_content_stream(model=MODEL, contents=WORDS)
        for piece in ("one", " two", " three"):
            gate.let(1)  # the next piece is not even written before this one was read
            assert (await anext(stream)).text == piece
        gate.open()
        (last,) = [chunk async for chunk in stream]
    assert last.candidates is not None
    assert last.candidates[0].finish_reason == "STOP"
    assert (await door.model.ledger.ended(0)).ending is Ending.COMPLETED


async def test_a_stream_adds_up_to_the_answer(door: Door) -> None:
    async with genai_sdk(door.url, door.key) as client:
        stream = await client.models.generate_content_stream(
            model=MODEL, contents=WORDS, config=GenerateContentConfig(max_output_tokens=6)
        )
        chunks = [chunk async for chunk in stream]
    text = "".join(chunk.text or "" for chunk in chunks)
    usage = chunks[-1].usage_metadata
    assert usage is not None
    assert len(text.split()) == usage.candidates_token_count == 6
    assert chunks[-1].candidates is not None
    assert chunks[-1].candidates[0].finish_reason == "MAX_TOKENS"
    assert (await door.model.ledger.ended(0)).output_tokens == 6


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_tool_is_called_with_all_its_arguments(door: Door, streamed: bool) -> None:
    door.model.script = Script(tool=ToolCall("clock", '{"zone": "Europe/Stockholm"}'))
    config = GenerateContentConfig(tools=[CLOCK])
    async with genai_sdk(door.url, door.key) as client:
        asked = client.models
        if streamed:
            stream = await asked.generate_content_stream(model=MODEL, contents=WORDS, config=config)
            answers = [chunk async for chunk in stream]
        else:
            answers = [await asked.generate_content(model=MODEL, contents=WORDS, config=config)]
    called = [call for answer in answers for call in answer.function_calls or []]
    assert [(call.name, call.args) for call in called] == [("clock", {"zone": "Europe/Stockholm"})]


async def test_the_sdk_answers_a_tool_by_itself_and_asks_again(door: Door) -> None:
    """Its automatic function calling: two requests for one call."""

    def clock(zone: str) -> str:
        return f"noon in {zone}"

    door.model.then(Script(tool=ToolCall("clock", '{"zone": "UTC"}')), Script(pieces=("Noon",)))
    async with genai_sdk(door.url, door.key) as client:
        answer = await client.models.generate_content(
            model=MODEL, contents=WORDS, config=GenerateContentConfig(tools=[clock])
        )
    assert answer.text == "Noon"
    assert len(door.model.ledger.served) == 2


async def test_several_candidates_are_told_apart(door: Door) -> None:
    async with genai_sdk(door.url, door.key) as client:
        answer = await generate(client, candidate_count=3, max_output_tokens=5)
    assert [candidate.index or 0 for candidate in answer.candidates or []] == [0, 1, 2]
    assert (await door.model.ledger.ended(0)).output_tokens == 15


async def test_an_image_a_system_instruction_thinking_and_a_schema_go_through(door: Door) -> None:
    async with genai_sdk(door.url, door.key) as client:
        answer = await client.models.generate_content(
            model=MODEL,
            contents=[
                Content(
                    role="user",
                    parts=[
                        Part.from_bytes(data=bytes(3000), mime_type="image/png"),
                        Part(text=WORDS),
                    ],
                )
            ],
            config=GenerateContentConfig(
                system_instruction="Be brief.",
                temperature=0.5,
                response_mime_type="application/json",
                response_json_schema={"type": "object"},
                thinking_config=ThinkingConfig(include_thoughts=True, thinking_budget=100),
            ),
        )
    assert answer.text
    options = (await door.model.ledger.ended(0)).options
    config = options["generationConfig"]  # the SDK itself mixes both spellings
    assert config["thinkingConfig"] == {"include_thoughts": True, "thinking_budget": 100}
    assert config["responseMimeType"] == "application/json"


async def test_tokens_are_counted_without_writing_any(door: Door) -> None:
    async with genai_sdk(door.url, door.key) as client:
        counted = await client.models.count_tokens(model=MODEL, contents=WORDS)
        answer = await generate(client, max_output_tokens=5)
    assert answer.usage_metadata is not None
    assert counted.total_tokens == answer.usage_metadata.prompt_token_count
    assert [entry.number for entry in door.model.ledger.served] == [1]


@pytest.mark.parametrize("api_version", ["v1", "v1beta"])
async def test_models_are_listed_and_described(door: Door, api_version: str) -> None:
    async with genai_sdk(door.url, door.key, api_version=api_version) as client:
        listed = [model.name async for model in await client.models.list(config={"page_size": 50})]
        described = await client.models.get(model=MODEL)
    assert listed == [f"models/{name}" for name in door.model.models]
    assert described.name == f"models/{MODEL}"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (400, "INVALID_ARGUMENT"),
        (401, "UNAUTHENTICATED"),
        (403, "PERMISSION_DENIED"),
        (404, "NOT_FOUND"),
        (429, "RESOURCE_EXHAUSTED"),
        (500, "INTERNAL"),
        (503, "UNAVAILABLE"),
    ],
)
async def test_the_models_own_errors_pass_untouched(door: Door, code: int, status: str) -> None:
    fault = Fault(status, "Said by the model API itself.")
    door.model.script = Script(status=code, fault=fault, headers={"retry-after": "17"})
    async with genai_sdk(door.url, door.key) as client:
        with pytest.raises(errors.APIError, match="itself") as raised:
            await generate(client)
    error = raised.value
    assert type(error) is (errors.ServerError if code >= 500 else errors.ClientError)
    assert error.details == {"error": {"code": code, "message": fault.message, "status": status}}
    assert error.response.headers["retry-after"] == "17"
    assert error.response.headers["x-request-id"]


@pytest.mark.parametrize(("code", "attempts"), [(503, 3), (429, 3), (403, 1)])
async def test_it_retries_as_often_as_it_would_alone(door: Door, code: int, attempts: int) -> None:
    """By the status, whatever the headers say."""
    headers = {"retry-after": "600", "x-should-retry": "false"}
    door.model.script = Script(status=code, fault=Fault("UNAVAILABLE", "No"), headers=headers)
    async with genai_sdk(door.url, door.key) as client:
        with pytest.raises(errors.APIError):
            await generate(client, http_options=HttpOptions(retry_options=at_once(3)))
    assert len(door.model.ledger.entries) == attempts


async def test_it_does_not_retry_unless_it_is_told_to(door: Door) -> None:
    door.model.script = Script(status=503, fault=Fault("UNAVAILABLE", "No"))
    async with genai_sdk(door.url, door.key) as client:
        with pytest.raises(errors.ServerError):
            await generate(client)
    assert len(door.model.ledger.entries) == 1


async def test_an_abandoned_stream_stops_the_model(door: Door) -> None:
    gate = Gate()
    door.model.script = Script(gate=gate)
    async with genai_sdk(door.url, door.key) as client:
        gate.let(3)
        stream = await client.models.generate_content_stream(model=MODEL, contents=WORDS)
        await anext(stream)
        await anext(stream)
    async with asyncio.timeout(5):  # the SDK's stream ends with its client
        entry = await door.model.ledger.ended(0)
    assert (entry.ending, entry.delivered_tokens) == (Ending.CLIENT_LEFT, 2)


async def test_an_error_in_mid_stream_is_raised(door: Door) -> None:
    door.model.script = Script(fault=Fault("UNAVAILABLE", "It broke"), fault_after=2)
    async with genai_sdk(door.url, door.key) as client:
        stream = await client.models.generate_content_stream(model=MODEL, contents=WORDS)
        with pytest.raises(errors.ServerError, match="It broke") as raised:
            [chunk async for chunk in stream]
    assert (raised.value.code, raised.value.status) == (503, "UNAVAILABLE")
