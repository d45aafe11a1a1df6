"""Every row of the table, in one packet and byte by byte."""

import asyncio
import json

import pytest

from gateway.proxy.wire_limits import WireLimits
from tests.wire.conversation import RawClient, conversation
from tests.wire.recording import Recorder, statuses
from tests.wire.rows import BODY, ROWS, Row, Then, get

BEHIND = get().replace(b"/v1/models", b"/v1/models?behind=1")
"""Sent after each row: a server that misread the row's end would serve it, or a part of it."""

PATIENCE_S = 5.0
LONG_BYTES = 4096
"""Rows above this are not sent byte by byte."""


async def hear(client: RawClient, row: Row) -> bytes:
    async with asyncio.timeout(PATIENCE_S):
        if row.then is Then.CLOSES:
            return await client.rest()
        heard = b""
        for _ in range(2):  # the row's own answer, and that to what was sent behind it
            status, _, body = await client.answer()
            heard += b"HTTP/1.1 %d \r\n" % status + body
        return heard


def judge(row: Row, heard: bytes, model: Recorder) -> None:
    said = statuses(heard)
    assert said[:1] == [row.status], row
    if row.then is Then.CLOSES:
        assert len(said) == 1
        assert b"\r\nconnection: close\r\n" in heard
        assert model.requests == []
    elif row.then is Then.GOES_ON:
        assert said[1:] == [200]
        assert model.targets == [b"/v1/models?behind=1"]
    else:
        assert said[1:] == [200]
        method, target, _ = row.raw.lstrip().split(b" ", 2)
        assert model.targets == [target, b"/v1/models?behind=1"]
        assert model.requests[0].startswith(method)
        assert model.bodies == [BODY if method == b"POST" else b"", b""]


RULES = sorted({row.rule for row in ROWS})


@pytest.mark.parametrize("rule", RULES)
async def test_in_one_packet(rule: str) -> None:
    model = Recorder()
    async with conversation(model.script) as talk:
        for row in (row for row in ROWS if row.rule == rule):
            async with talk.client() as client:
                await client.say(row.raw + BEHIND)
                judge(row, await hear(client, row), model)
            model.requests.clear()


@pytest.mark.parametrize("rule", RULES)
async def test_byte_by_byte(rule: str) -> None:
    model = Recorder()
    async with conversation(model.script) as talk:
        for row in (row for row in ROWS if row.rule == rule and len(row.raw) < LONG_BYTES):
            async with talk.client() as client:
                for at in range(len(row.raw)):
                    await client.say(row.raw[at : at + 1])
                    await asyncio.sleep(0)
                await client.say(BEHIND)
                judge(row, await hear(client, row), model)
            model.requests.clear()


async def test_a_refusal_is_json_and_repeats_nothing() -> None:
    async with conversation(Recorder().script) as talk, talk.client() as client:
        await client.say(get(b"X-Secret : sk-secret"))
        status, headers, body = await client.answer()
        assert (status, headers[b"connection"]) == (400, b"close")
        assert headers[b"content-type"] == b"application/json"
        error = json.loads(body)["error"]
        assert error["code"] == "malformed_request"
        assert b"secret" not in body.lower()


async def test_a_refused_head_request_gets_no_body() -> None:
    async with conversation(Recorder().script) as talk, talk.client() as client:
        await client.say(b"HEAD /v1/models HTTP/1.1\r\n\r\n")
        assert (await client.rest()).endswith(b"\r\n\r\n")


async def test_what_is_wrong_already_is_not_waited_for() -> None:
    """Each would be a request if more came; none is answered by a deadline."""
    beginnings = (
        b"GET /v1/models\r\n",
        b"GET http://gauger.test/v1/models HTTP/1.1\r\n",
        get()[:-2] + b" folded\r\n",
        b"GET /v1/models HTTP/1.1\r\nHost : gauger.test\r\n",
        b"GET /v1/models HTTP/1.1\n",
        b"GET /v1/models HTTP/1.1\rHost",
        b"GET /" + b"a" * 9_000,
    )
    async with conversation(Recorder().script, limits=WireLimits(head_s=3600)) as talk:
        for beginning in beginnings:
            async with talk.client() as client, asyncio.timeout(PATIENCE_S):
                await client.say(beginning)
                assert statuses(await client.rest()) in ([400], [414])
