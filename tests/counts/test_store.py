"""How often the store is asked for one exchange, and what that makes its server do.

The checklist's row "all or nothing, 1 round trip" (field.md, 5) and bar 1.
"""

from pathlib import Path

import pytest

from tests.counts.stage import GENEROUS, ONCE, ONE_LIMIT, whole


@pytest.mark.parametrize("stream", [False, True])
async def test_an_exchange_is_one_script_to_reserve_and_one_to_settle(
    tmp_path: Path, *, stream: bool
) -> None:
    async with whole(tmp_path) as gauger:
        assert await gauger.commands(stream=stream) == {
            "evalsha": 2,
            "time": 2,
            "hmget": 2,
            "hset": 2,
            "pexpire": 2,
        }


async def test_a_refusal_is_one_script_that_reads_and_writes_nothing(tmp_path: Path) -> None:
    async with whole(tmp_path, ONCE) as gauger:
        assert await gauger.commands() == {"evalsha": 1, "time": 1, "hmget": 1}
        assert (await gauger.finished())[-1].status == 429


async def test_eight_limits_of_an_account_cost_the_server_what_one_costs(tmp_path: Path) -> None:
    eight = GENEROUS.replace(
        "100 concurrent",
        "[100 concurrent, 9M input_tokens/day, "
        "9M output_tokens/day, 9M tokens/hour, 9M tokens/minute]",
    )
    async with whole(tmp_path, ONE_LIMIT) as gauger:
        one = await gauger.commands()
    async with whole(tmp_path, eight) as gauger:
        assert await gauger.commands() == one
        decision = (await gauger.finished())[-1].decision
        assert decision is not None
        assert len(decision.quota_states) == 8


async def test_no_exchange_opens_a_connection_to_the_store(tmp_path: Path) -> None:
    async with whole(tmp_path) as gauger:
        with gauger.valkey.client() as client:
            before = client.info("stats")["total_connections_received"]
            for _ in range(20):
                await gauger.ask()
            assert client.info("stats")["total_connections_received"] == before
