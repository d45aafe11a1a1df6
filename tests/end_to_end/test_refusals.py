"""What gauger refuses itself, as the SDKs' own typed errors, with true waiting times."""

import asyncio
from collections.abc import Mapping

import anthropic
import openai
import pytest

from gateway.demo.scripts import Gate, Script
from tests.end_to_end.stage import MODEL, WORDS, Door, Stage

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("end_to_end")]


async def chat(client: openai.AsyncOpenAI, max_tokens: int = 5) -> None:
    await client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": WORDS}], max_tokens=max_tokens
    )


async def message(client: anthropic.AsyncAnthropic, max_tokens: int = 5) -> None:
    await client.messages.create(
        model=MODEL, messages=[{"role": "user", "content": WORDS}], max_tokens=max_tokens
    )


def assert_about_a_minute(headers: Mapping[str, str]) -> None:
    """A sliding window errs by one slice at most, and an SDK may sleep as long as that."""
    assert 0 < int(headers["retry-after"]) <= 61
    assert "x-should-retry" not in headers


async def test_the_sixth_chat_in_a_minute_raises_the_rate_limit(stage: Stage) -> None:
    door = await stage.behind("five-a-minute")
    async with door.openai() as client:
        for _ in range(5):
            await chat(client)
        with pytest.raises(openai.RateLimitError) as raised:
            await chat(client)
    error = raised.value
    assert (error.type, error.code) == ("rate_limit_error", "rate_limit_exceeded")
    headers = error.response.headers
    assert_about_a_minute(headers)
    assert headers["x-ratelimit-limit-requests"] == "5"
    assert headers["x-ratelimit-remaining-requests"] == "0"
    assert error.request_id
    assert len(door.model.ledger.entries) == 5


async def test_the_sixth_message_in_a_minute_raises_the_rate_limit(stage: Stage) -> None:
    door = await stage.behind("five-a-minute")
    async with door.anthropic() as client:
        for _ in range(5):
            await message(client)
        with pytest.raises(anthropic.RateLimitError) as raised:
            await message(client)
    body = raised.value.body
    assert isinstance(body, dict)
    assert body["error"]["type"] == "rate_limit_error"
    assert body["request_id"] == raised.value.request_id
    headers = raised.value.response.headers
    assert_about_a_minute(headers)
    assert headers["anthropic-ratelimit-requests-limit"] == "5"
    assert headers["anthropic-ratelimit-requests-remaining"] == "0"
    assert len(door.model.ledger.entries) == 5


async def test_one_keys_limit_is_no_others(stage: Stage) -> None:
    first = await stage.behind("five-a-minute")
    async with first.openai() as client:
        for _ in range(5):
            await chat(client)
    second = await stage.behind("five-a-minute")
    async with second.openai() as client:
        await chat(client)


async def test_waiting_exactly_as_long_as_told_is_enough(stage: Stage) -> None:
    door = await stage.behind("quick")
    async with door.openai() as client:
        with pytest.raises(openai.RateLimitError) as raised:
            await chats_until_refused(client)
        admitted = len(door.model.ledger.entries)
        headers = raised.value.response.headers
        wait_ms = float(headers["retry-after-ms"])
        assert int(headers["retry-after"]) == -(-wait_ms // 1000)
        await asyncio.sleep(wait_ms / 1000)
        await chat(client)
    assert len(door.model.ledger.entries) == admitted + 1


async def test_an_sdk_that_retries_waits_as_long_as_told_and_is_admitted(stage: Stage) -> None:
    door = await stage.behind("quick")
    async with door.anthropic(max_retries=1) as client:
        for _ in range(4):
            await message(client)
    assert len(door.model.ledger.entries) == 4


async def test_a_request_that_can_never_fit_is_a_bad_request(stage: Stage) -> None:
    door = await stage.behind("narrow")
    async with door.openai(max_retries=2) as client:
        with pytest.raises(openai.BadRequestError) as raised:
            await chat(client, max_tokens=5000)
    assert raised.value.code == "request_exceeds_limit"
    async with door.anthropic(max_retries=2) as other:
        with pytest.raises(anthropic.BadRequestError):
            await message(other, max_tokens=5000)
    assert door.model.ledger.entries == []


async def test_a_missing_ceiling_never_makes_a_key_unusable(stage: Stage) -> None:
    door = await stage.behind("narrow")
    async with door.openai() as client:
        await client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": WORDS}]
        )


async def test_a_second_stream_waits_for_the_first_to_end(stage: Stage) -> None:
    door = await stage.behind("narrow")
    gate = Gate()
    door.model.then(Script(gate=gate))
    async with door.openai() as client:
        gate.let(2)
        stream = await client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": WORDS}],
            max_tokens=5,
            stream=True,
        )
        await anext(stream)
        with pytest.raises(openai.RateLimitError) as raised:
            await chat(client)
        assert raised.value.code == "concurrency_limit_exceeded"
        assert raised.value.response.headers["retry-after"] == "1"
        gate.open()
        async for _ in stream:
            pass
        await settled(door)
        await chat(client)
    assert door.model.ledger.max_in_flight == 1


async def test_an_abandoned_stream_gives_its_slot_back(stage: Stage) -> None:
    door = await stage.behind("narrow")
    gate = Gate()
    door.model.then(Script(gate=gate))
    async with door.openai() as client:
        gate.let(2)
        stream = await client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": WORDS}],
            max_tokens=5,
            stream=True,
        )
        await anext(stream)
        await stream.close()
        await settled(door)
        await chat(client)


async def test_no_credential_is_an_authentication_error(stage: Stage) -> None:
    door = await stage.behind("generous")
    async with door.openai() as client:
        with pytest.raises(openai.AuthenticationError) as raised:
            await client.models.list(extra_headers={"Authorization": openai.Omit()})
    assert raised.value.code == "invalid_api_key"
    omit = anthropic.Omit()  # the SDK's versions differ in which header they use
    async with door.anthropic() as other:
        with pytest.raises(anthropic.AuthenticationError):
            await other.messages.create(
                model=MODEL,
                max_tokens=5,
                messages=[{"role": "user", "content": WORDS}],
                extra_headers={"X-Api-Key": omit, "Authorization": omit},
            )
    assert door.model.ledger.entries == []


async def test_a_route_that_is_not_metered_is_not_forwarded(stage: Stage) -> None:
    door = await stage.behind("generous")
    async with door.openai() as client:
        with pytest.raises(openai.NotFoundError, match="Moderations"):
            await client.moderations.create(input=WORDS)
    async with door.anthropic() as other:
        with pytest.raises(anthropic.NotFoundError, match="Message batches"):
            await other.messages.batches.list()
    assert door.model.ledger.entries == []


async def test_a_field_of_the_wrong_type_is_a_bad_request_that_names_it(stage: Stage) -> None:
    door = await stage.behind("generous")
    async with door.openai() as client:
        with pytest.raises(openai.BadRequestError, match="max_tokens") as raised:
            await client.chat.completions.create(
                model=MODEL,
                messages=[{"role": "user", "content": WORDS}],
                extra_body={"max_tokens": "many"},
            )
    assert raised.value.param == "max_tokens"
    async with door.anthropic() as other:
        with pytest.raises(anthropic.BadRequestError, match="max_tokens"):
            await other.messages.create(
                model=MODEL,
                max_tokens=5,
                messages=[{"role": "user", "content": WORDS}],
                extra_body={"max_tokens": "many"},
            )
    assert door.model.ledger.entries == []


async def chats_until_refused(client: openai.AsyncOpenAI) -> None:
    while True:
        await chat(client)


async def settled(door: Door) -> None:
    """Returns once the key's served exchange is over: its slot is free again."""
    assert door.gauger is not None
    async with asyncio.timeout(10):
        while True:
            decided = await door.gauger.decisions(door.key, 1)
            if any(decision["decision"] == "allow" for decision in decided):
                return
