"""A gauger whose Redis dies under it and comes back: what callers and operators see."""

from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from tests.end_to_end.stage import MODEL, POLICIES, Stage
from tests.parts.gauger_process import Gauger, gauger
from tests.parts.redis_servers import running

WORDS = "Name a colour."
LIMIT = 5


async def asked(running_gauger: Gauger, key: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=running_gauger.url) as client:
        return await client.post(
            "/v1/chat/completions",
            headers={"authorization": f"Bearer {key}"},
            json={
                "model": MODEL,
                "messages": [{"role": "user", "content": WORDS}],
                "max_tokens": 5,
            },
        )


async def told(running_gauger: Gauger, path: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=running_gauger.admin_url) as client:
        return await client.get(path)


async def test_callers_are_served_and_counted_over_an_outage(stage: Stage) -> None:
    with TemporaryDirectory(prefix="gauger-") as folder:
        with running("valkey", Path(folder)) as server:
            url = server.url
        with running("valkey", Path(folder)) as server:
            gauging = gauger(POLICIES / "five-a-minute.yaml", stage.url, store=url)
            one = await gauging.__aenter__()
            try:
                key = stage.door().key
                answer = await asked(one, key)
                assert answer.status_code == 200
                assert "gauger-store" not in answer.headers
                assert (await told(one, "/readyz")).json() == {"ready": True}
            except BaseException:
                await gauging.__aexit__(None, None, None)
                raise
        try:
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
            with running("valkey", Path(folder)):
                await one.said("The store is back")
                answer = await asked(one, key)
                assert answer.status_code == 429
                assert "gauger-store" not in answer.headers
                metrics = (await told(one, "/metrics")).text
                assert 'gateway_store_state{state="ok"} 1.0' in metrics
        finally:
            await gauging.__aexit__(None, None, None)


async def test_a_closed_quota_makes_the_process_unready(stage: Stage, tmp_path: Path) -> None:
    policy = tmp_path / "closed.yaml"
    policy.write_text(
        "quotas:\n  - id: strict\n    why: Not to be lent.\n"
        "    limit: 5 requests/minute\n    on_store_failure: closed\n"
    )
    with running("valkey") as server:
        gauging = gauger(policy, stage.url, store=server.url)
        one = await gauging.__aenter__()
    try:
        await one.said("on_store_failure holds")
        answer = await asked(one, stage.door().key)
        assert answer.status_code == 503
        ready = await told(one, "/readyz")
        assert ready.status_code == 503
        assert "a quota is closed meanwhile" in ready.json()["reason"]
    finally:
        await gauging.__aexit__(None, None, None)
