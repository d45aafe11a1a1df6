"""The port of probes: health and figures for whoever asks, and nothing else."""

import contextlib
from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.console import ConsoleStatus, make_probes
from tests.console.statuses import status
from tests.parts.serving import serving


@contextlib.asynccontextmanager
async def probes(
    *, with_metrics: bool = True, this_machine_only: bool = False, key_faults: tuple[str, ...] = ()
) -> AsyncIterator[httpx.AsyncClient]:
    async def telling() -> ConsoleStatus:
        return status(key_faults=key_faults)

    async def metrics_text() -> bytes:
        return b"gateway_up 1\n"

    made = make_probes(
        status=telling,
        metrics_text=metrics_text,
        with_metrics=with_metrics,
        this_machine_only=this_machine_only,
    )
    async with (
        serving(made) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
    ):
        yield client


async def test_three_paths_are_there_and_no_other() -> None:
    async with probes() as client:
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await client.get(path)).status_code == 200
            assert (await client.post(path)).status_code == 405
        for path in ("/", "/decisions", "/reload", "/accounts/acme"):
            assert (await client.get(path)).status_code == 404


async def test_metrics_can_be_left_out() -> None:
    async with probes(with_metrics=False) as client:
        assert (await client.get("/metrics")).status_code == 404
        assert (await client.get("/readyz")).status_code == 200


@pytest.mark.parametrize(("local", "expected"), [(False, 200), (True, 421)])
async def test_a_pods_address_is_a_good_name_unless_only_this_machine_can_ask(
    local: bool, expected: int
) -> None:
    async with probes(this_machine_only=local) as client:
        answer = await client.get("/readyz", headers={"host": "10.1.2.3:9091"})
    assert answer.status_code == expected


async def test_readiness_names_the_issuers_whose_keys_do_not_come() -> None:
    async with probes(key_faults=("login.example: status 500",)) as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "ready": True,
        "degraded": "no keys come from login.example: status 500",
    }
