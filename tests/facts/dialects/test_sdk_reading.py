"""The real SDKs, given our answers without a network: they raise their own typed errors."""

from collections.abc import Iterator

import anthropic
import httpx2
import openai
import pytest

from gateway.facts.dialects.anthropic import MESSAGES, Anthropic
from gateway.facts.dialects.openai_chat import CHAT, OpenAIChat
from gateway.facts.dialects.openai_completions import OpenAICompletions
from gateway.facts.dialects.openai_responses import OpenAIResponses
from gateway.facts.dialects.port import Answer, Dialect
from gateway.facts.refusal import Refusal, RefusalKind
from tests.facts.dialects.answers import NOT_ASKED, NOW_US, recorded, state, watch

OPENAI, ANTHROPIC = OpenAIChat(), Anthropic()
EVENT_STREAM = (b"content-type", b"text/event-stream")


def refused(dialect: Dialect, kind: RefusalKind) -> Answer:
    refusal = Refusal(kind, "Why.", retry_after_us=16_840_000, field="n", allow="POST")
    return dialect.refuse(refusal, [state()], "req_1", NOW_US)


class Calls:
    """A model API that always gives the same answer, and counts how often it was asked."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.count = 0

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        del request
        self.count += 1
        return httpx2.Response(
            self.answer.status, headers=self.answer.headers, content=self.answer.body
        )


@pytest.fixture
def calls() -> Calls:
    return Calls(Answer(200, [], b""))


@pytest.fixture
def openai_client(calls: Calls) -> Iterator[openai.OpenAI]:
    with httpx2.Client(transport=httpx2.MockTransport(calls)) as http:
        yield openai.OpenAI(api_key="k", base_url="http://x/v1", http_client=http, max_retries=0)


@pytest.fixture
def anthropic_client(calls: Calls) -> Iterator[anthropic.Anthropic]:
    with httpx2.Client(transport=httpx2.MockTransport(calls)) as http:
        yield anthropic.Anthropic(api_key="k", base_url="http://x", http_client=http, max_retries=0)


def chat(client: openai.OpenAI, retries: int = 0) -> object:
    return client.with_options(max_retries=retries).chat.completions.create(
        model="m", messages=[{"role": "user", "content": "Say hello"}]
    )


def message(client: anthropic.Anthropic, retries: int = 0) -> object:
    return client.with_options(max_retries=retries).messages.create(
        model="m", max_tokens=8, messages=[{"role": "user", "content": "Say hello"}]
    )


OPENAI_ERRORS: dict[RefusalKind, type[openai.APIStatusError]] = {
    RefusalKind.RATE: openai.RateLimitError,
    RefusalKind.CONCURRENCY: openai.RateLimitError,
    RefusalKind.NEVER_FITS: openai.BadRequestError,
    RefusalKind.NO_CREDENTIAL: openai.AuthenticationError,
    RefusalKind.BAD_CREDENTIAL: openai.AuthenticationError,
    RefusalKind.UNKNOWN_ROUTE: openai.NotFoundError,
    RefusalKind.METHOD_NOT_ALLOWED: openai.APIStatusError,
    RefusalKind.MALFORMED: openai.BadRequestError,
    RefusalKind.BODY_TOO_LARGE: openai.APIStatusError,
    RefusalKind.BLOCKED: openai.PermissionDeniedError,
    RefusalKind.CHALLENGE: openai.PermissionDeniedError,
    RefusalKind.STORE_UNAVAILABLE: openai.InternalServerError,
    RefusalKind.IDENTITY_UNAVAILABLE: openai.InternalServerError,
    RefusalKind.OVERLOADED: openai.InternalServerError,
    RefusalKind.UPSTREAM_UNREACHABLE: openai.InternalServerError,
    RefusalKind.UPSTREAM_TIMEOUT: openai.InternalServerError,
    RefusalKind.INTERNAL: openai.InternalServerError,
}


@pytest.mark.parametrize("kind", RefusalKind)
def test_the_openai_sdk_raises_its_own_error(
    kind: RefusalKind, calls: Calls, openai_client: openai.OpenAI
) -> None:
    calls.answer = refused(OPENAI, kind)
    with pytest.raises(OPENAI_ERRORS[kind]) as raised:
        chat(openai_client)
    assert raised.value.status_code == calls.answer.status
    assert raised.value.request_id == "req_1"
    assert raised.value.param == "n"
    assert raised.value.type
    assert "Why." in raised.value.message


ANTHROPIC_ERRORS: dict[RefusalKind, type[anthropic.APIStatusError]] = {
    RefusalKind.RATE: anthropic.RateLimitError,
    RefusalKind.CONCURRENCY: anthropic.RateLimitError,
    RefusalKind.NEVER_FITS: anthropic.BadRequestError,
    RefusalKind.NO_CREDENTIAL: anthropic.AuthenticationError,
    RefusalKind.BAD_CREDENTIAL: anthropic.AuthenticationError,
    RefusalKind.UNKNOWN_ROUTE: anthropic.NotFoundError,
    RefusalKind.METHOD_NOT_ALLOWED: anthropic.APIStatusError,
    RefusalKind.MALFORMED: anthropic.BadRequestError,
    RefusalKind.BODY_TOO_LARGE: anthropic.APIStatusError,
    RefusalKind.BLOCKED: anthropic.PermissionDeniedError,
    RefusalKind.CHALLENGE: anthropic.PermissionDeniedError,
    RefusalKind.STORE_UNAVAILABLE: anthropic.InternalServerError,
    RefusalKind.IDENTITY_UNAVAILABLE: anthropic.InternalServerError,
    RefusalKind.OVERLOADED: anthropic.InternalServerError,
    RefusalKind.UPSTREAM_UNREACHABLE: anthropic.InternalServerError,
    RefusalKind.UPSTREAM_TIMEOUT: anthropic.InternalServerError,
    RefusalKind.INTERNAL: anthropic.InternalServerError,
}


@pytest.mark.parametrize("kind", RefusalKind)
def test_the_anthropic_sdk_raises_its_own_error(
    kind: RefusalKind, calls: Calls, anthropic_client: anthropic.Anthropic
) -> None:
    calls.answer = refused(ANTHROPIC, kind)
    with pytest.raises(ANTHROPIC_ERRORS[kind]) as raised:
        message(anthropic_client)
    assert raised.value.status_code == calls.answer.status
    assert raised.value.request_id == "req_1"
    assert "Why." in raised.value.message


HOPELESS = [RefusalKind.NEVER_FITS, RefusalKind.BAD_CREDENTIAL, RefusalKind.MALFORMED]


@pytest.mark.parametrize("kind", HOPELESS)
def test_no_sdk_repeats_what_waiting_does_not_cure(
    kind: RefusalKind,
    calls: Calls,
    openai_client: openai.OpenAI,
    anthropic_client: anthropic.Anthropic,
) -> None:
    calls.answer = refused(OPENAI, kind)
    with pytest.raises(openai.APIStatusError):
        chat(openai_client, retries=2)
    calls.answer = refused(ANTHROPIC, kind)
    with pytest.raises(anthropic.APIStatusError):
        message(anthropic_client, retries=2)
    assert calls.count == 2


def test_no_sdk_sleeps_through_a_long_wait(
    calls: Calls, openai_client: openai.OpenAI, anthropic_client: anthropic.Anthropic
) -> None:
    tomorrow = Refusal(RefusalKind.RATE, "Tomorrow.", retry_after_us=86_400_000_000)
    calls.answer = OPENAI.refuse(tomorrow, [], "req_1", NOW_US)
    with pytest.raises(openai.RateLimitError) as raised:
        chat(openai_client, retries=2)
    assert raised.value.response.headers["retry-after"] == "86400"
    calls.answer = ANTHROPIC.refuse(tomorrow, [], "req_1", NOW_US)
    with pytest.raises(anthropic.RateLimitError):
        message(anthropic_client, retries=2)
    assert calls.count == 2


def test_the_openai_sdk_reads_a_stream_from_which_usage_was_withheld(
    calls: Calls, openai_client: openai.OpenAI
) -> None:
    passed, _ = watch(OPENAI, CHAT, NOT_ASKED, recorded("chat.stream_usage.sse"))
    calls.answer = Answer(200, [EVENT_STREAM], passed)
    chunks = list(
        openai_client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "Say hello"}], stream=True
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text == "I'm glad to make a positive impact"
    assert all(chunk.usage is None for chunk in chunks)


TOO_SLOW = Refusal(RefusalKind.UPSTREAM_TIMEOUT, "Too slow.")


def test_the_openai_sdk_raises_when_a_stream_is_stopped(
    calls: Calls, openai_client: openai.OpenAI
) -> None:
    begun = recorded("chat.stream.sse").split(b"\n\n")[0] + b"\n\n"
    calls.answer = Answer(200, [EVENT_STREAM], begun + OPENAI.stream_error(TOO_SLOW, "req_1"))
    stream = openai_client.chat.completions.create(
        model="m", messages=[{"role": "user", "content": "Say hello"}], stream=True
    )
    assert next(stream).choices
    with pytest.raises(openai.APIError) as raised:
        next(stream)
    assert raised.value.code == "upstream_timeout"
    assert raised.value.message == "Too slow."


def test_the_anthropic_sdk_raises_when_a_stream_is_stopped(
    calls: Calls, anthropic_client: anthropic.Anthropic
) -> None:
    begun, _ = watch(ANTHROPIC, MESSAGES, NOT_ASKED, recorded("messages.stream.sse"))
    begun = begun.split(b"\n\n")[0] + b"\n\n"
    calls.answer = Answer(200, [EVENT_STREAM], begun + ANTHROPIC.stream_error(TOO_SLOW, "req_1"))
    stream = anthropic_client.messages.create(
        model="m",
        max_tokens=8,
        messages=[{"role": "user", "content": "Say hello"}],
        stream=True,
    )
    assert next(stream).type == "message_start"
    with pytest.raises(anthropic.APIStatusError, match=r"Too slow\."):
        next(stream)


def test_the_openai_sdk_raises_when_a_stream_of_responses_is_stopped(
    calls: Calls, openai_client: openai.OpenAI
) -> None:
    begun = b'event: response.created\ndata: {"type":"response.created","response":{}}\n\n'
    stop = OpenAIResponses().stream_error(TOO_SLOW, "req_1")
    calls.answer = Answer(200, [EVENT_STREAM], begun + stop)
    stream = openai_client.responses.create(model="m", input="Say hello", stream=True)
    assert next(stream).type == "response.created"
    with pytest.raises(openai.APIError) as raised:
        next(stream)
    assert raised.value.code == "upstream_timeout"
    assert raised.value.message == "Too slow."


def test_the_openai_sdk_raises_when_a_stream_of_completions_is_stopped(
    calls: Calls, openai_client: openai.OpenAI
) -> None:
    begun = b'data: {"id":"c","choices":[{"index":0,"text":"Hel"}]}\n\n'
    stop = OpenAICompletions().stream_error(TOO_SLOW, "req_1")
    calls.answer = Answer(200, [EVENT_STREAM], begun + stop)
    stream = openai_client.completions.create(model="m", prompt="Say hello", stream=True)
    assert next(stream).choices[0].text == "Hel"
    with pytest.raises(openai.APIError) as raised:
        next(stream)
    assert raised.value.code == "upstream_timeout"
