"""Google's SDK, given our answers without a network: it raises its own typed errors."""

import json
from collections.abc import Iterator

import httpx
import pytest
from google import genai
from google.genai import errors
from google.genai.types import GenerateContentConfig, GenerateContentResponse, HttpOptions

from gateway.facts.dialects.gemini import GENERATE, REFUSALS, Gemini
from gateway.facts.dialects.port import Answer
from gateway.facts.refusal import Refusal, RefusalKind
from tests.facts.dialects.answers import NOW_US, events, state
from tests.parts.genai_sdk import at_once

GEMINI = Gemini()
EVENT_STREAM = (b"content-type", b"text/event-stream")
ATTEMPTS = 3

RETRIED = {429, 500, 502, 503, 504}
"""What the SDK repeats once it was told to retry (and 408, which we never answer)."""


class Calls:
    """A model API that always gives the same answer, and counts how often it was asked."""

    def __init__(self) -> None:
        self.answer = Answer(200, [], b"")
        self.count = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        del request
        self.count += 1
        return httpx.Response(
            self.answer.status, headers=self.answer.headers, content=self.answer.body
        )


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def client(calls: Calls) -> Iterator[genai.Client]:
    with httpx.Client(transport=httpx.MockTransport(calls)) as http:
        options = HttpOptions(base_url="http://x", httpx_client=http)
        with genai.Client(api_key="k", http_options=options) as client:
            yield client


def generate(client: genai.Client, *, attempts: int | None = None) -> GenerateContentResponse:
    options = HttpOptions(retry_options=at_once(attempts)) if attempts else None
    return client.models.generate_content(
        model="m", contents="Say hello", config=GenerateContentConfig(http_options=options)
    )


def refused(kind: RefusalKind) -> Answer:
    refusal = Refusal(kind, "Why.", retry_after_us=16_840_000, field="contents", allow="POST")
    return GEMINI.refuse(refusal, [state()], "req_1", NOW_US)


@pytest.mark.parametrize("kind", RefusalKind)
def test_it_raises_its_own_error_with_our_code_status_and_words(
    kind: RefusalKind, calls: Calls, client: genai.Client
) -> None:
    code, status, reason = REFUSALS[kind]
    calls.answer = refused(kind)
    with pytest.raises(errors.ServerError if code >= 500 else errors.ClientError) as raised:
        generate(client)
    error = raised.value
    assert (error.code, error.status, error.message) == (code, status, "Why.")
    assert error.details["error"]["details"][0]["reason"] == reason
    assert error.response.headers["x-request-id"] == "req_1"
    assert calls.count == 1


@pytest.mark.parametrize("kind", RefusalKind)
def test_told_to_retry_it_goes_by_the_status_alone(
    kind: RefusalKind, calls: Calls, client: genai.Client
) -> None:
    """So a refusal that waiting cannot cure must not have one of these."""
    calls.answer = refused(kind)
    with pytest.raises(errors.APIError):
        generate(client, attempts=ATTEMPTS)
    assert calls.count == (ATTEMPTS if calls.answer.status in RETRIED else 1)


@pytest.mark.parametrize(
    "kind",
    [
        RefusalKind.NEVER_FITS,
        RefusalKind.NO_CREDENTIAL,
        RefusalKind.BAD_CREDENTIAL,
        RefusalKind.UNKNOWN_ROUTE,
        RefusalKind.METHOD_NOT_ALLOWED,
        RefusalKind.MALFORMED,
        RefusalKind.BODY_TOO_LARGE,
    ],
)
def test_it_does_not_repeat_what_waiting_does_not_cure(
    kind: RefusalKind, calls: Calls, client: genai.Client
) -> None:
    calls.answer = refused(kind)
    with pytest.raises(errors.ClientError):
        generate(client, attempts=ATTEMPTS)
    assert calls.count == 1


def test_it_raises_when_a_stream_is_stopped(calls: Calls, client: genai.Client) -> None:
    begun = events({"candidates": [{"content": {"role": "model", "parts": [{"text": "one"}]}}]})
    too_slow = Refusal(RefusalKind.UPSTREAM_TIMEOUT, "Too slow.")
    calls.answer = Answer(200, [EVENT_STREAM], begun + GEMINI.stream_error(too_slow, "req_1"))
    stream = client.models.generate_content_stream(model="m", contents="Say hello")
    assert next(stream).text == "one"
    with pytest.raises(errors.ServerError) as raised:
        next(stream)
    assert (raised.value.code, raised.value.status) == (504, "DEADLINE_EXCEEDED")
    assert raised.value.message == "Too slow."


def test_it_reads_the_same_usage_as_we_do(calls: Calls, client: genai.Client) -> None:
    """Its documentation: the total is the sum of the prompt, tool results, candidates, thoughts."""
    body = json.dumps(
        {
            "candidates": [{"content": {"parts": [{"text": "one"}]}, "finishReason": "STOP"}],
            "usageMetadata": {
                "promptTokenCount": 10,
                "cachedContentTokenCount": 4,
                "toolUsePromptTokenCount": 5,
                "candidatesTokenCount": 7,
                "thoughtsTokenCount": 20,
                "totalTokenCount": 42,
            },
        }
    ).encode()
    calls.answer = Answer(200, [(b"content-type", b"application/json")], body)
    theirs = generate(client).usage_metadata
    ours = GEMINI.read_answer(GENERATE, 200, body).usage
    assert theirs is not None
    assert ours.input_tokens is not None
    assert ours.output_tokens is not None
    assert ours.input_tokens + ours.output_tokens == theirs.total_token_count
    assert ours.cached_tokens == theirs.cached_content_token_count
    assert ours.reasoning_tokens == theirs.thoughts_token_count
