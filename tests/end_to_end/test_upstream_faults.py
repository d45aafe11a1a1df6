"""A model API that is away, silent or broken: each becomes the SDK's own typed error."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import openai
import pytest

from tests.end_to_end.stage import MODEL, POLICIES, WORDS
from tests.parts.gauger_inside import gauger_inside
from tests.parts.raw_server import Peer, Script, raw_server, saying_once, silent, unused_port
from tests.parts.two_sdks import anthropic_sdk, openai_sdk

SAID: list[Any] = [{"role": "user", "content": WORDS}]
STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
CHUNK = b'data: {"choices":[{"index":0,"delta":{"content":"one"}}]}\n\n'


class Asking:
    def __init__(self, url: str) -> None:
        self.url = url

    async def openai_error(self) -> openai.APIStatusError:
        async with openai_sdk(self.url, "sk-faults") as client:
            with pytest.raises(openai.APIStatusError) as raised:
                await client.chat.completions.create(model=MODEL, messages=SAID)
        return raised.value

    async def anthropic_error(self) -> anthropic.APIStatusError:
        async with anthropic_sdk(self.url, "sk-faults") as client:
            with pytest.raises(anthropic.APIStatusError) as raised:
                await client.messages.create(model=MODEL, messages=SAID, max_tokens=5)
        return raised.value


@asynccontextmanager
async def upstream(script: Script, **settings: Any) -> AsyncIterator[Asking]:
    async with (
        raw_server(script) as server,
        gauger_inside(POLICIES / "generous.yaml", server.url, **settings) as inside,
    ):
        yield Asking(inside.url)


async def both(asking: Asking, status: int, code: str) -> None:
    chat = await asking.openai_error()
    assert isinstance(chat, openai.InternalServerError)
    assert (chat.status_code, chat.code) == (status, code)
    assert chat.request_id
    message = await asking.anthropic_error()
    assert isinstance(message, anthropic.InternalServerError)
    assert message.status_code == status
    assert message.request_id


async def test_nobody_listens() -> None:
    nowhere = f"http://127.0.0.1:{unused_port()}"
    async with gauger_inside(POLICIES / "generous.yaml", nowhere) as inside:
        await both(Asking(inside.url), 502, "upstream_unreachable")


async def test_it_closes_without_a_word() -> None:
    async with upstream(saying_once()) as asking:
        await both(asking, 502, "upstream_unreachable")


async def test_it_does_not_speak_http() -> None:
    async with upstream(saying_once(b"220 mail.example ESMTP\r\n")) as asking:
        await both(asking, 502, "upstream_unreachable")


async def test_it_never_answers() -> None:
    async with upstream(silent, first_byte_timeout_s=0.2) as asking:
        await both(asking, 504, "upstream_timeout")


async def test_it_falls_silent_in_mid_stream() -> None:
    async def one_and_no_more(peer: Peer) -> None:
        await peer.request()
        await peer.say(STREAM_HEAD + CHUNK)
        await peer.closed.wait()

    async with (
        upstream(one_and_no_more, idle_timeout_s=0.2) as asking,
        openai_sdk(asking.url, "sk-faults") as client,
    ):
        stream = await client.chat.completions.create(model=MODEL, messages=SAID, stream=True)
        assert (await anext(stream)).choices[0].delta.content == "one"
        with pytest.raises(openai.APIError, match="broke off"):
            await anext(stream)


async def test_it_breaks_off_a_plain_answer() -> None:
    half = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"id"'
    async with upstream(saying_once(half)) as asking:
        async with openai_sdk(asking.url, "sk-faults") as client:
            with pytest.raises(openai.APIConnectionError):
                await client.chat.completions.create(model=MODEL, messages=SAID)
        async with anthropic_sdk(asking.url, "sk-faults") as other:
            with pytest.raises(anthropic.APIConnectionError):
                await other.messages.create(model=MODEL, messages=SAID, max_tokens=5)


async def test_it_sends_a_status_that_is_none() -> None:
    odd = b"HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n"
    async with upstream(saying_once(odd)) as asking:
        await both(asking, 502, "upstream_unreachable")
