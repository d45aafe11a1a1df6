"""A gauger whose Redis dies under it and comes back: what callers and operators see."""

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from tests.end_to_end.stage import MODEL, POLICIES, WORDS, Stage
from tests.parts.gauger_process import Gauger, gauger
from tests.parts.redis_servers import running

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("end_to_end")]

LIMIT = 5


async def asked(at: Gauger, key: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=at.url, timeout=30) as client:
        return await client.post(
            "/v1/chat/completions",
            headers={"authorization": f"Bearer {key}"},
            json={
                "model": MODEL,
                "messages": [{"role": "user", "content": WORDS}],
                "max_tokens": 5,
            },
        )


async def told(at: Gauger, path: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=at.admin_url, timeout=30) as client:
        return await client.get(path)


async def test_callers_are_served_and_counted_over_an_outage(stage: Stage) -> None:
    with TemporaryDirectory(prefix="gauger-") as folder, ExitStack() as life:
        server = life.enter_context(running("valkey", Path(folder)))
        key = stage.door().key
        async with gauger(POLICIES / "five-a-minute.yaml", stage.url, store=server.url) as one:
            answer = await asked(one, key)
            assert answer.status_code == 200
            assert "gauger-store" not in answer.headers
            assert (await told(one, "/readyz")).json() == {"ready": True}

            life.close()
            await one.said("on_store_failure holds")
            answers = [await asked(one, key) for _ in range(LIMIT + 1)]
            assert [a.status_code for a in answers] == [200] * (LIMIT - 1) + [429, 429]
            assert {a.headers["gauger-store"] for a in answers} == {"degraded"}
            ready = await told(one, "/readyz")
            assert ready.status_code == 200
            assert "each quota holds" in ready.json()["degraded"]
            metrics = (await told(one, "/metrics")).text
            assert 'gateway_store_state{state="degraded"} 1.0' in metrics
            assert 'gateway_store_errors_total{kind="connection"}' in metrics

            life.enter_context(running("valkey", Path(folder)))
            await one.said("The store is back")
            answer = await asked(one, key)
            assert answer.status_code == 429
            assert "gauger-store" not in answer.headers
            assert 'gateway_store_state{state="ok"} 1.0' in (await told(one, "/metrics")).text


async def test_a_closed_quota_makes_the_process_unready(stage: Stage, tmp_path: Path) -> None:
    policy = tmp_path / "closed.yaml"
    policy.write_text(
        "quotas:\n  - id: strict\n    why: Not to be lent.\n"
        "    limit: 5 requests/minute\n    on_store_failure: closed\n"
    )
    with ExitStack() as life:
        server = life.enter_context(running("valkey"))
        async with gauger(policy, stage.url, store=server.url) as one:
            life.close()
            await one.said("on_store_failure holds")
            assert (await asked(one, stage.door().key)).status_code == 503
            ready = await told(one, "/readyz")
            assert ready.status_code == 503
            assert "a quota is closed meanwhile" in ready.json()["reason"]
