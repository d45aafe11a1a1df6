"""What reaches the model API, and what does not, as bytes on real sockets."""

import json

import pytest

from tests.parts.raw_server import answering
from tests.proxy.stage import ANSWER, KEY, QUESTION
from tests.wire.conversation import conversation, request

OK = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(ANSWER)
) + ANSWER


async def test_the_very_bytes_that_were_verified_are_forwarded() -> None:
    body = (
        b' {"model":"small",  "messages":[{"role":"user","content":"h\\u00e9"}], "max_tokens":5}\n'
    )
    async with conversation(answering(OK)) as talk, talk.client() as client:
        await client.say(request(body, headers=(b"content-type: application/json",)))
        status, headers, answer = await client.answer()
        assert (status, answer) == (200, ANSWER)
        assert headers[b"x-request-id"].startswith(b"req_")
        sent = bytes(talk.model.peers[0].received)
        assert sent.endswith(b"\r\n\r\n" + body)
        assert sent.startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")


async def test_a_replaced_credential_never_reaches_the_model_api() -> None:
    async with (
        conversation(answering(OK), upstream_key="sk-operator") as talk,
        talk.client() as client,
    ):
        await client.say(
            request(
                headers=(
                    b"x-api-key: " + KEY.encode(),
                    b"cookie: session=" + KEY.encode(),
                    b"openai-organization: org_other",
                )
            )
        )
        assert (await client.answer())[0] == 200
        sent = bytes(talk.model.peers[0].received)
        assert KEY.encode() not in sent
        assert b"org_other" not in sent
        assert b"authorization: Bearer sk-operator\r\n" in sent


async def test_without_an_upstream_key_the_callers_own_passes_on() -> None:
    async with conversation(answering(OK)) as talk, talk.client() as client:
        await client.say(request())
        await client.answer()
        assert b"authorization: Bearer " + KEY.encode() in bytes(talk.model.peers[0].received)


async def test_headers_that_are_not_the_callers_to_set_are_dropped() -> None:
    claims = (
        b"x-forwarded-for: 203.0.113.7",
        b"forwarded: for=203.0.113.7",
        b"x-account-id: acct_1",
        b"accept-encoding: gzip",
        b"connection: keep-alive, x-hop",
        b"x-hop: 1",
        b"te: trailers",
        b"traceparent: theirs",
        b"x-request-id: theirs",
        b"x-kept: yes",
    )
    async with conversation(answering(OK)) as talk, talk.client() as client:
        await client.say(request(headers=claims))
        assert (await client.answer())[0] == 200
        sent = bytes(talk.model.peers[0].received).lower()
        for gone in (b"203.0.113.7", b"acct_1", b"gzip", b"x-hop", b"trailers", b"theirs"):
            assert gone not in sent
        assert b"x-kept: yes\r\n" in sent
        assert b"accept-encoding: identity\r\n" in sent
        assert b"traceparent: ours\r\n" in sent


async def test_a_credential_in_a_trailer_is_a_second_credential() -> None:
    body = json.dumps(QUESTION).encode()
    framed = b"%x\r\n%s\r\n0\r\nauthorization: Bearer sk-smuggled\r\n\r\n" % (len(body), body)
    async with conversation(answering(OK)) as talk, talk.client() as client:
        await client.say(request(framed, headers=(b"transfer-encoding: chunked",)))
        assert (await client.answer())[0] == 400
        assert talk.model.peers == []


async def test_a_body_over_the_cap_is_refused_without_reading_on() -> None:
    async with conversation(answering(OK)) as talk, talk.client() as client:
        await client.say(request(b"{", headers=(b"content-length: 104857600",)))
        status, headers, _ = await client.answer()
        assert status == 413
        assert headers[b"connection"] == b"close"
        assert await client.rest() == b""
        assert talk.model.peers == []


@pytest.mark.parametrize(
    ("refused", "status"),
    [
        (request(b"{"), 400),
        (request(b"", start=b"GET /v1/files HTTP/1.1"), 404),
        (request(b"", start=b"GET /v1/%2e%2e/admin HTTP/1.1"), 400),
        (request(b"", start=b"GET /v1/models HTTP/1.1", key=None), 401),
        (request(b"", start=b"GET /v1/chat/completions HTTP/1.1"), 405),
    ],
)
async def test_a_connection_is_used_again_after_a_refusal(refused: bytes, status: int) -> None:
    async with conversation(answering(OK)) as talk, talk.client() as client:
        for _ in range(2):
            await client.say(refused)
            assert (await client.answer())[0] == status
        assert talk.model.peers == []
        await client.say(request())
        assert (await client.answer())[0] == 200


async def test_a_connection_is_used_again_after_a_spent_quota() -> None:
    async with conversation(answering(OK)) as talk, talk.client() as client:
        talk.on.store.refuses = True
        await client.say(request())
        assert (await client.answer())[0] == 429
        talk.on.store.refuses = False
        await client.say(request())
        assert (await client.answer())[0] == 200
        assert len(talk.model.peers) == 1
