"""The table of endings: whatever happens, each exchange is settled once, to the stated amount."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from gateway.decision.finished import Ending
from gateway.decision.settlement import Basis
from gateway.errors import (
    UpstreamError,
    UpstreamProtocolError,
    UpstreamTimeout,
    UpstreamTruncated,
    UpstreamUnreachable,
)
from gateway.facts.refusal import RefusalKind
from gateway.policy.quota import Unit
from gateway.proxy import settling
from gateway.proxy.asgi import Message, Receive, Scope, Send
from gateway.proxy.edge import EdgeLimits
from gateway.proxy.selection import EXTENSION
from tests.proxy.stage import (
    ANSWER,
    DONE,
    JSON,
    SSE,
    STREAMED,
    USAGE_CHUNK,
    Caller,
    Model,
    Stage,
    answering,
    chunk,
    forever,
    head,
    piece,
    stage,
    streaming,
)

HELLO = chunk("Hello there, moon.")
HELLO_TOKENS = -(-len("Hello there, moon.") // 4)


def raising(error: Exception) -> Model:
    async def script(send: Send) -> None:
        del send
        await asyncio.sleep(0)
        raise error

    return Model(script)


async def charged(on: Stage) -> tuple[int, int, int, int]:
    """Requests, input, output, slots."""
    by_unit = await on.settled()
    assert await on.store.open_reservations() == 0
    units = (Unit.REQUESTS, Unit.INPUT_TOKENS, Unit.OUTPUT_TOKENS, Unit.CONCURRENT)
    return by_unit[units[0]], by_unit[units[1]], by_unit[units[2]], by_unit[units[3]]


def estimated_input(on: Stage) -> int:
    ask = on.finished.ask
    assert ask is not None
    assert ask.input_tokens > 0
    return ask.input_tokens


async def test_a_refused_request_is_not_charged_and_never_reaches_the_upstream() -> None:
    on = stage(answering())
    on.store.refuses = True
    caller = await Caller(on.gateway).run()
    await on.rest()
    assert caller.status == 429
    assert caller.headers[b"retry-after"] == b"17"
    assert on.model.scopes == []
    assert on.store.settled == []
    assert on.finished.ending is Ending.REFUSED
    assert on.finished.refusal is not None
    assert on.finished.refusal.kind is RefusalKind.RATE
    assert on.finished.status == 429


async def test_a_client_that_leaves_while_admission_waits_pays_the_request_alone() -> None:
    on = stage(answering())
    on.store.may_reserve.clear()
    caller = Caller(on.gateway)
    running = caller.start()
    await on.store.asked.wait()
    caller.leave()
    await running
    on.store.may_reserve.set()
    assert await charged(on) == (1, 0, 0, 0)
    assert on.model.scopes == []
    assert caller.sent == []
    assert on.finished.ending is Ending.CLIENT_LEFT
    assert on.finished.decision is not None


async def test_a_client_that_leaves_before_its_body_is_complete_is_not_judged() -> None:
    on = stage(answering())
    caller = Caller(on.gateway, pieces=[])
    caller.leave()
    await caller.run()
    await on.rest()
    assert on.store.reserved == []
    assert on.finished.ending is Ending.CLIENT_LEFT
    assert on.finished.status is None


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (UpstreamUnreachable("refused", sent=False), 502, "unreachable"),
        (UpstreamTimeout("connect", sent=False), 504, "timeout"),
    ],
)
async def test_what_was_never_sent_is_released(
    error: UpstreamError, status: int, kind: str
) -> None:
    on = stage(raising(error))
    caller = await Caller(on.gateway).run()
    assert await charged(on) == (1, 0, 0, 0)
    assert caller.status == status
    assert caller.completed
    assert on.finished.ending is Ending.UPSTREAM_FAILED
    assert on.finished.upstream_error == kind
    assert on.finished.upstream_fault == str(error)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UpstreamTimeout("first byte", sent=True), 504),
        (UpstreamUnreachable("reset", sent=True), 502),
        (UpstreamProtocolError("garbage", sent=True), 502),
    ],
)
async def test_what_was_sent_and_not_answered_costs_its_input(
    error: UpstreamError, status: int
) -> None:
    on = stage(raising(error))
    caller = await Caller(on.gateway).run()
    assert await charged(on) == (1, estimated_input(on), 0, 0)
    assert caller.status == status


async def test_a_client_that_leaves_before_the_head_pays_its_input() -> None:
    async def thinking(send: Send) -> None:
        del send
        await forever()

    on = stage(Model(thinking))
    caller = Caller(on.gateway, body=STREAMED)
    running = caller.start()
    await on.model.called.wait()
    caller.leave()
    await on.model.cancelled.wait()
    await running
    assert await charged(on) == (1, estimated_input(on), 0, 0)
    assert on.finished.ending is Ending.CLIENT_LEFT


async def test_a_client_that_leaves_before_the_first_event_pays_its_input() -> None:
    on = stage(streaming(then=forever))
    caller = Caller(on.gateway, body=STREAMED)
    running = caller.start()
    await caller.next()
    caller.leave()
    await on.model.cancelled.wait()
    await running
    assert await charged(on) == (1, estimated_input(on), 0, 0)


async def test_a_client_that_leaves_in_mid_stream_pays_what_was_delivered() -> None:
    on = stage(streaming(HELLO, then=forever))
    caller = Caller(on.gateway, body=STREAMED)
    running = caller.start()
    await caller.next()
    await caller.next()
    caller.leave()
    await on.model.cancelled.wait()
    await running
    assert await charged(on) == (1, estimated_input(on), HELLO_TOKENS, 0)
    assert on.finished.settlement is not None
    assert on.finished.settlement.basis is Basis.DELIVERED


@pytest.mark.parametrize("status", [400, 429, 500, 503])
async def test_an_error_of_the_upstream_is_released_and_passed_on_with_our_limits(
    status: int,
) -> None:
    headers = [*JSON, (b"x-ratelimit-limit-requests", b"9"), (b"retry-after", b"3")]
    headers += [(b"x-should-retry", b"true"), (b"set-cookie", b"a=b")]
    on = stage(answering(b'{"error": {"message": "no"}}', status=status, headers=headers))
    caller = await Caller(on.gateway).run()
    assert await charged(on) == (1, 0, 0, 0)
    assert (caller.status, caller.body) == (status, b'{"error": {"message": "no"}}')
    assert caller.headers[b"retry-after"] == b"3"
    assert caller.headers[b"x-should-retry"] == b"true"
    assert b"set-cookie" not in caller.headers
    names = [name for name, _ in caller.sent[0]["headers"]]
    assert names.count(b"x-ratelimit-limit-requests") == 1
    assert caller.headers[b"x-ratelimit-limit-requests"] == b"600"
    assert caller.headers[b"x-request-id"] == on.finished.request_id.encode()
    assert on.finished.upstream_status == status


async def test_a_plain_answer_costs_what_was_reported() -> None:
    on = stage(answering())
    caller = await Caller(on.gateway).run()
    assert await charged(on) == (1, 7, 3, 0)
    assert caller.body == ANSWER
    assert on.finished.ending is Ending.COMPLETED
    assert on.finished.upstream_model == "small-1"
    assert on.finished.finish_reasons == ("stop",)


async def test_a_stream_costs_what_its_last_chunk_reported_and_the_chunk_is_withheld() -> None:
    on = stage(streaming(HELLO, USAGE_CHUNK, DONE))
    caller = await Caller(on.gateway, body=STREAMED).run()
    assert await charged(on) == (1, 7, 3, 0)
    assert caller.body == HELLO + DONE
    assert caller.completed
    assert b"include_usage" in on.model.bodies[0]


async def test_a_stream_without_usage_costs_what_passed() -> None:
    on = stage(streaming(HELLO, DONE))
    await Caller(on.gateway, body=STREAMED).run()
    assert await charged(on) == (1, estimated_input(on), HELLO_TOKENS, 0)


async def break_off() -> None:
    raise UpstreamTruncated("reset", sent=True)


async def stop_short() -> None:
    raise UpstreamError("idle", sent=True)


@pytest.mark.parametrize("breaks", [break_off, stop_short])
async def test_a_truncated_stream_ends_as_an_error_and_never_cleanly(
    breaks: Callable[[], Awaitable[None]],
) -> None:
    on = stage(streaming(HELLO, then=breaks))
    caller = await Caller(on.gateway, body=STREAMED).run()
    assert await charged(on) == (1, estimated_input(on), HELLO_TOKENS, 0)
    assert caller.body.startswith(HELLO)
    assert b'"code":"upstream_unreachable"' in caller.body
    assert not caller.completed
    assert on.finished.ending is Ending.UPSTREAM_TRUNCATED


async def test_a_truncated_plain_answer_is_left_incomplete() -> None:
    async def script(send: Send) -> None:
        await head(send)
        await piece(send, ANSWER[:40])
        raise UpstreamTruncated("reset", sent=True)

    on = stage(Model(script))
    caller = await Caller(on.gateway).run()
    assert await charged(on) == (1, estimated_input(on), 10, 0)
    assert caller.body == ANSWER[:40]
    assert not caller.completed


async def test_an_app_that_returns_in_mid_answer_has_truncated_it() -> None:
    async def script(send: Send) -> None:
        await head(send, SSE)
        await piece(send, HELLO)

    on = stage(Model(script))
    caller = await Caller(on.gateway, body=STREAMED).run()
    await on.rest()
    assert not caller.completed
    assert on.finished.ending is Ending.UPSTREAM_TRUNCATED


async def test_an_app_that_returns_without_an_answer_is_a_bad_gateway() -> None:
    async def script(send: Send) -> None:
        del send

    on = stage(Model(script))
    assert (await Caller(on.gateway).run()).status == 502
    await on.rest()


async def test_a_shutdown_in_mid_stream_settles_what_was_delivered() -> None:
    on = stage(streaming(HELLO, then=forever))
    caller = Caller(on.gateway, body=STREAMED)
    running = caller.start()
    await caller.next()
    await caller.next()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert on.model.cancelled.is_set()
    assert await charged(on) == (1, estimated_input(on), HELLO_TOKENS, 0)
    assert on.finished.ending is Ending.SHUT_DOWN
    assert b'"error"' in caller.sent[-1]["body"], "the reader is told that this is no end"
    assert not caller.completed


async def test_a_shutdown_before_an_answer_is_told_as_one_that_may_be_asked_again() -> None:
    async def thinking(_: Send) -> None:
        await forever()

    on = stage(Model(thinking))
    caller = Caller(on.gateway)
    running = caller.start()
    await on.model.called.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await on.rest()
    assert caller.status == 503
    assert caller.headers[b"retry-after"] == b"1"
    assert caller.completed
    assert on.finished.ending is Ending.SHUT_DOWN


async def test_a_shutdown_does_not_wait_for_who_reads_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.proxy.passage.FAREWELL_S", 0.01)
    on = stage(streaming(HELLO, then=forever))
    caller = Caller(on.gateway, body=STREAMED)
    reads = asyncio.Event()
    reads.set()

    async def send(message: Message) -> None:
        await reads.wait()
        await caller.send(message)

    running = asyncio.create_task(on.gateway(caller.scope, caller.receive, send))
    await caller.next()
    await caller.next()
    reads.clear()
    running.cancel()
    await asyncio.wait({running}, timeout=5)
    assert running.cancelled()
    await on.rest()
    assert await on.store.open_reservations() == 0


async def test_a_bug_answers_500_settles_and_logs_no_content(
    caplog: pytest.LogCaptureFixture,
) -> None:
    on = stage(raising(KeyError("How far is the moon?")))
    with caplog.at_level(logging.ERROR):
        caller = await Caller(on.gateway).run()
    assert await charged(on) == (1, estimated_input(on), 0, 0)
    assert caller.status == 500
    assert b"moon" not in caller.body
    assert on.finished.ending is Ending.FAILED
    assert "KeyError at" in caplog.text
    assert "moon" not in caplog.text


async def test_a_settlement_is_tried_again_while_the_store_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settling, "WAITS_S", (0.0, 0.0))
    on = stage(answering())
    on.store.away_for_settlements = 2
    caller = await Caller(on.gateway).run()
    assert await charged(on) == (1, 7, 3, 0)
    assert caller.completed
    assert on.told.unsettled == []


async def test_a_settlement_that_is_given_up_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "WAITS_S", (0.0, 0.0))
    on = stage(answering())
    on.store.away_for_settlements = 3
    await Caller(on.gateway).run()
    await on.rest()
    assert on.told.unsettled == ["timeout"]
    assert on.finished.settlement is None
    assert on.store.settled == []


async def test_a_settlement_does_not_delay_the_last_byte() -> None:
    on = stage(answering())
    caller = await Caller(on.gateway).run()
    assert caller.completed
    assert on.store.settled == []
    await on.rest()
    assert len(on.store.settled) == 1


async def test_an_answer_too_long_to_inspect_passes_and_keeps_its_reservation() -> None:
    on = stage(answering(), limits=EdgeLimits(inspected_bytes=20))
    caller = await Caller(on.gateway).run()
    assert caller.body == ANSWER
    assert await charged(on) == (1, estimated_input(on), 50, 0)


async def test_an_encoded_answer_passes_and_keeps_its_reservation() -> None:
    on = stage(answering(b"\x1f\x8b...", headers=[*JSON, (b"content-encoding", b"gzip")]))
    caller = await Caller(on.gateway).run()
    assert caller.body == b"\x1f\x8b..."
    assert await charged(on) == (1, estimated_input(on), 50, 0)


async def test_the_first_event_is_passed_on_before_the_second_is_produced() -> None:
    first_arrived = asyncio.Event()

    async def script(send: Send) -> None:
        await head(send, SSE)
        await piece(send, HELLO)
        await first_arrived.wait()
        await piece(send, DONE, more=False)

    on = stage(Model(script))
    caller = Caller(on.gateway, body=STREAMED)
    running = caller.start()
    assert (await caller.next())["type"] == "http.response.start"
    assert (await caller.next())["body"] == HELLO
    first_arrived.set()
    assert (await caller.next())["body"] == DONE
    await running
    await on.rest()


async def test_an_unknown_route_is_told_and_never_forwarded() -> None:
    on = stage(answering())
    caller = await Caller(on.gateway, path="/v1/files").run()
    assert caller.status == 404
    assert on.model.scopes == []
    assert on.finished.ending is Ending.REJECTED
    assert on.finished.path == ""


@pytest.mark.parametrize(
    ("caller", "status"),
    [
        ({"path": "/v1/%2e%2e/admin"}, 400),
        ({"path": "/v1/chat/completions/"}, 404),
        ({"path": "/V1/chat/completions"}, 404),
        ({"method": "PUT"}, 405),
        ({"headers": []}, 401),
        ({"headers": [(b"authorization", b"Basic abc")]}, 401),
        ({"headers": [(b"authorization", b"Bearer " + b"k" * 9000)]}, 401),
        ({"body": b"{"}, 400),
        ({"body": b'{"model": "a", "model": "b"}'}, 400),
        ({"body": {"model": "small"}}, 400),
        ({"more_headers": [(b"content-encoding", b"gzip")]}, 400),
        ({"more_headers": [(b"content-type", b"text/plain")]}, 400),
        ({"more_headers": [(b"content-length", b"99999999999")]}, 413),
        ({"more_headers": [(b"content-length", b"3")]}, 400),
    ],
)
async def test_what_cannot_be_judged_is_answered_and_reserves_nothing(
    caller: dict[str, object], status: int
) -> None:
    on = stage(answering())
    made = await Caller(on.gateway, **caller).run()  # type: ignore[arg-type]  # a table of cases
    await on.rest()
    assert made.status == status
    assert made.completed
    assert b'"error"' in made.body
    assert made.headers[b"x-request-id"] == on.finished.request_id.encode()
    assert on.model.scopes == []
    assert on.store.reserved == []
    assert on.finished.ending is Ending.REJECTED


async def test_a_body_that_is_too_large_closes_the_connection_and_says_so_once() -> None:
    on = stage(answering())
    caller = await Caller(on.gateway, more_headers=[(b"content-length", b"99999999999")]).run()
    await on.rest()
    said = [name for name, _ in caller.sent[0]["headers"]]
    assert said.count(b"connection") == 1


async def test_a_refusal_over_an_unread_body_closes_the_connection() -> None:
    on = stage(answering())
    announced = [(b"content-length", b"10")]
    unread = await Caller(on.gateway, path="/v1/files", more_headers=announced).run()
    assert unread.headers[b"connection"] == b"close"
    read = await Caller(on.gateway, body=b"{").run()
    assert b"connection" not in read.headers
    await on.rest()


async def test_quota_headers_are_on_every_allowed_answer() -> None:
    on = stage(answering(headers=[*JSON, (b"x-ratelimit-limit-requests", b"9")]))
    caller = await Caller(on.gateway).run()
    names = [name for name, _ in caller.sent[0]["headers"]]
    assert names.count(b"x-ratelimit-limit-requests") == 1
    assert caller.headers[b"x-ratelimit-limit-requests"] == b"600"
    await on.rest()


async def test_a_telemetry_that_fails_harms_no_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    on = stage(answering())

    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(on.told, "finish", fail)
    assert (await Caller(on.gateway, path="/nowhere").run()).status == 404
    assert (await Caller(on.gateway).run()).completed
    await on.rest()
    assert await on.store.open_reservations() == 0


async def test_a_living_stream_renews_its_lease_and_outlives_failed_renewals() -> None:
    on = stage(streaming(HELLO, then=forever), lease_us=3_000)
    on.store.away_for_renewals = 2
    caller = Caller(on.gateway, body=STREAMED)
    running = caller.start()
    assert await on.store.renewals.get() == on.store.reserved[0]
    assert await on.store.renewals.get() == on.store.reserved[0]
    assert not running.done()
    caller.leave()
    await running
    await on.settled()
    while not on.store.renewals.empty():
        on.store.renewals.get_nowait()
    await asyncio.sleep(0.01)  # three leases: a timer that still ran would have ticked
    assert on.store.renewals.empty()


async def test_listing_models_takes_no_body_and_charges_a_request() -> None:
    on = stage(answering(b'{"data": []}'))
    caller = await Caller(on.gateway, method="GET", path="/v1/models", body=b"").run()
    assert caller.status == 200
    await on.rest()
    assert on.store.settled[0][1] == {Unit.REQUESTS: 1, Unit.CONCURRENT: 0}
    on = stage(answering(b'{"data": []}'))
    caller = await Caller(on.gateway, method="GET", path="/v1/models", body=b"x").run()
    assert caller.status == 400
    await on.rest()


async def test_trailers_that_the_server_appends_to_the_headers_are_not_read() -> None:
    on = stage(answering())
    caller = Caller(on.gateway)
    receive = caller.receive

    async def receive_with_trailer() -> Message:
        caller._headers.append((b"authorization", b"Bearer sk-smuggled"))
        return await receive()

    await on.gateway(caller.scope, receive_with_trailer, caller.send)
    assert caller.status == 200
    assert b"smuggled" not in repr(on.model.scopes[0]["headers"]).encode()
    await on.rest()


async def test_the_forwarded_scope_holds_no_extension_by_which_to_send_past_us() -> None:
    on = stage(answering())
    caller = Caller(on.gateway)
    scope = {**caller.scope, "extensions": {"http.response.pathsend": {}}, "state": {"a": 1}}
    await on.gateway(scope, caller.receive, caller.send)
    assert on.model.scopes[0]["extensions"] == {EXTENSION: ""}
    assert on.model.scopes[0]["state"] == {"a": 1}
    await on.rest()


async def test_an_inner_app_hears_of_the_departure() -> None:
    heard: list[str] = []

    async def listening(_: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await head(send, SSE)
        try:
            heard.append((await receive())["type"])
        except asyncio.CancelledError:
            heard.append("cancelled")
            raise

    on = stage(listening)  # type: ignore[arg-type]  # any app will do
    caller = Caller(on.gateway, body=STREAMED)
    running = caller.start()
    await caller.next()
    caller.leave()
    await running
    await on.rest()
    assert heard in (["http.disconnect"], ["cancelled"])


async def test_a_server_that_raises_when_nobody_is_there_is_a_departure() -> None:
    on = stage(answering())
    caller = Caller(on.gateway)

    async def gone(message: Message) -> None:
        raise ConnectionResetError(message["type"])

    await on.gateway(caller.scope, caller.receive, gone)
    await on.rest()
    assert on.finished.ending is Ending.CLIENT_LEFT


async def test_a_departure_while_a_failure_is_told_is_no_second_failure() -> None:
    on = stage(streaming(HELLO, then=break_off))
    caller = Caller(on.gateway, body=STREAMED)

    async def gone_after_two(message: Message) -> None:
        await caller.send(message)
        if len(caller.sent) > 2:
            raise ConnectionResetError

    await on.gateway(caller.scope, caller.receive, gone_after_two)
    await on.rest()
    assert on.finished.ending is Ending.UPSTREAM_TRUNCATED


async def test_an_upstream_that_fails_after_its_end_changes_nothing() -> None:
    async def script(send: Send) -> None:
        await head(send)
        await piece(send, ANSWER, more=False)
        raise UpstreamUnreachable("too late", sent=False)

    on = stage(Model(script))
    caller = await Caller(on.gateway).run()
    assert caller.completed
    assert await charged(on) == (1, 7, 3, 0)
    assert on.finished.upstream_error is None


async def test_an_admission_that_fails_is_answered_and_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    on = stage(answering())

    async def fail(*_: object) -> None:
        raise KeyError("moon")

    monkeypatch.setattr(on.store, "reserve", fail)
    with caplog.at_level(logging.ERROR):
        caller = await Caller(on.gateway).run()
        await on.rest()
    assert caller.status == 500
    assert on.model.scopes == []
    assert on.finished.ending is Ending.FAILED
    assert "moon" not in caplog.text
