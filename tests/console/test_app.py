"""The console over loopback, as a browser, a probe and Prometheus see it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest

from gateway.console import AccountDesk, AuditLog, ConsoleStatus, make_console, probes
from gateway.console.app import Reload
from gateway.reload import Outcome, Reloaded
from gateway.store.memory import MemoryStore
from gateway.telemetry import Telemetry
from tests.console.statuses import REFUSED, status
from tests.parts.clock import Clock
from tests.parts.serving import serving
from tests.parts.values import policies
from tests.telemetry import exchanges


async def well() -> ConsoleStatus:
    return status()


async def unchanged() -> Sequence[Reloaded]:
    return [Reloaded("policies", Outcome.UNCHANGED, "3fa94c17e0b2")]


@contextlib.asynccontextmanager
async def console(
    telling: probes.Status = well,
    telemetry: Telemetry | None = None,
    reload: Reload = unchanged,
) -> AsyncIterator[httpx.AsyncClient]:
    told = telemetry or Telemetry()

    async def metrics_text() -> bytes:
        return told.metrics.text()

    made = make_console(
        recent=told.recent,
        metrics_text=metrics_text,
        status=telling,
        reload=reload,
        accounts=AccountDesk(MemoryStore(Clock()), policies, lambda _: None, AuditLog(Clock())),
    )
    async with (
        serving(made) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
    ):
        yield client


def told_of(*request_ids: str) -> Telemetry:
    telemetry = Telemetry()
    for request_id in request_ids:
        trace = telemetry.begin([], exchanges.BEGAN_US)
        telemetry.finish(trace, exchanges.refused(request_id=request_id))
    return telemetry


async def test_the_page_shows_what_is_in_force_and_what_happened() -> None:
    async with console(telemetry=told_of("req_a")) as client:
        answer = await client.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for shown in ("3fa94c17e0b2", "The why of requests-per-minute.", "req_a", "throttled"):
        assert shown in answer.text


@pytest.mark.parametrize("path", ["/", "/decisions", "/metrics", "/healthz", "/reload", "/x"])
async def test_every_answer_is_kept_from_caches_frames_and_other_sites(path: str) -> None:
    async with console() as client:
        headers = (await client.get(path)).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("path", ["/", "/decisions", "/metrics", "/readyz", "/accounts/a", "/x"])
async def test_a_foreign_name_that_leads_here_reads_nothing(path: str) -> None:
    async with console() as client:
        answer = await client.get(path, headers={"host": "rebound.example:9090"})
        assert answer.status_code == 421
        assert "127.0.0.1" in answer.json()["error"]
        assert answer.headers["cache-control"] == "no-store"
        change = await client.post(
            "/reload", headers={"host": "rebound.example", "x-gauger-admin": "1"}
        )
    assert change.status_code == 421


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/", "/decisions", "/readyz"])
async def test_nothing_else_can_be_changed(method: str, path: str) -> None:
    async with console() as client:
        assert (await client.request(method, path)).status_code == 405


async def test_the_metrics_are_passed_on_as_prometheus_reads_them() -> None:
    async with console(telemetry=told_of("req_a")) as client:
        answer = await client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'gateway_decisions_total{decision="throttle"' in answer.text


async def test_decisions_are_found_by_request_account_and_number() -> None:
    async with console(telemetry=told_of("req_a", "req_b", "req_c")) as client:

        async def found(**filters: str) -> list[str]:
            answer = await client.get("/decisions", params=filters)
            return [row["request_id"] for row in answer.json()["decisions"]]

        assert await found() == ["req_c", "req_b", "req_a"]
        assert await found(limit="1") == ["req_c"]
        assert await found(request_id="req_b") == ["req_b"]
        assert await found(account="acct_1", limit="2") == ["req_c", "req_b"]
        assert await found(account="nobody") == []


@pytest.mark.parametrize("limit", ["0", "-1", "201", "many", "", "9" * 5_000])
async def test_a_limit_that_is_none_is_refused_with_what_is_allowed(limit: str) -> None:
    async with console() as client:
        answer = await client.get("/decisions", params={"limit": limit})
    assert answer.status_code == 400
    assert answer.json() == {"error": "limit is a whole number from 1 to 200."}


async def test_a_filter_that_is_none_is_refused_with_what_is_allowed() -> None:
    async with console() as client:
        answer = await client.get("/decisions", params={"acct": "acct_1"})
    assert answer.status_code == 400
    assert "'acct' is no filter. Allowed: request_id, account, limit." in answer.text


async def test_a_process_is_ready_while_its_store_answers() -> None:
    async with console() as client:
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True})


async def test_a_process_whose_store_is_away_is_ready_and_says_what_is_lacking() -> None:
    async def telling() -> ConsoleStatus:
        return status(store_fault="timeout")

    async with console(telling) as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["degraded"].startswith("the store does not answer: timeout")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"store_fault": "refused", "store_unready": "a quota is closed"}, "a quota is closed"),
        ({"stopping": True}, "stopping: what has begun is finished, and nothing new is taken"),
    ],
)
async def test_a_process_that_cannot_serve_says_why_and_is_alive(
    changes: dict[str, object], reason: str
) -> None:
    async def telling() -> ConsoleStatus:
        return status(**changes)

    async with console(telling) as client:
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()) == (503, {"ready": False, "reason": reason})
        assert (await client.get("/healthz")).text == "ok\n"
        assert (await client.get("/")).status_code == 200


async def test_a_status_that_fails_is_told_without_its_secrets() -> None:
    async def telling() -> ConsoleStatus:
        raise RuntimeError("redis://:password@counters")

    async with console(telling) as client:
        for path in ("/readyz", "/"):
            answer = await client.get(path)
            assert answer.status_code == 503
            assert "RuntimeError" in answer.text
            assert "password" not in answer.text


async def test_a_status_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "STATUS_TIMEOUT_S", 0.01)

    async def telling() -> ConsoleStatus:
        await asyncio.Event().wait()
        raise AssertionError

    async with console(telling) as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["reason"] == "the status could not be read within 0.01 s"


ADMIN = {"x-gauger-admin": "1"}


async def test_a_reload_tells_what_is_in_force_now() -> None:
    async with console() as client:
        answer = await client.post("/reload", headers=ADMIN)
    assert (answer.status_code, answer.json()) == (
        200,
        {"policies": {"outcome": "unchanged", "in_force": "3fa94c17e0b2", "problems": []}},
    )


async def test_a_reload_that_was_refused_says_where_and_fails() -> None:
    async def refused() -> Sequence[Reloaded]:
        problems = ("plans.yaml:3:12: This is wrong.",)
        return [
            *await unchanged(),
            Reloaded("accounts", Outcome.REFUSED, "0123456789ab", problems),
        ]

    async with console(reload=refused) as client:
        answer = await client.post("/reload", headers=ADMIN)
    assert answer.status_code == 422
    assert answer.json()["accounts"]["problems"] == ["plans.yaml:3:12: This is wrong."]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-gauger-admin": "0"},
        {**ADMIN, "origin": "https://evil.example"},
        {**ADMIN, "origin": "null"},
        {**ADMIN, "sec-fetch-site": "cross-site"},
        {**ADMIN, "sec-fetch-site": "same-origin"},
    ],
)
async def test_a_reload_that_a_page_could_have_sent_is_refused(headers: dict[str, str]) -> None:
    async def reloaded() -> Sequence[Reloaded]:
        raise AssertionError

    async with console(reload=reloaded) as client:
        answer = await client.post("/reload", headers=headers)
        assert answer.status_code == 403
        assert "curl" in answer.json()["error"]


async def test_a_page_that_asks_first_whether_it_may_is_not_told_yes() -> None:
    async with console() as client:
        answer = await client.options(
            "/reload",
            headers={
                "origin": "https://evil.example",
                "access-control-request-method": "POST",
                "access-control-request-headers": "x-gauger-admin",
            },
        )
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_a_reload_is_no_reading() -> None:
    async with console() as client:
        assert (await client.get("/reload", headers=ADMIN)).status_code == 405


async def test_a_refused_version_leaves_the_process_ready() -> None:
    async def telling() -> ConsoleStatus:
        return status(refused=(REFUSED,))

    async with console(telling) as client:
        assert (await client.get("/readyz")).json() == {"ready": True}
