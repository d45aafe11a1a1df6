"""How many connections to the model API exchanges take."""

from pathlib import Path

from tests.counts.stage import ONCE, whole


async def test_fifty_exchanges_in_a_row_share_one_connection(tmp_path: Path) -> None:
    async with whole(tmp_path) as gauger:
        for number in range(49):
            assert await gauger.ask(stream=number % 2 == 0) == 200
        assert len(gauger.model.connections) == 1


async def test_a_refusal_does_not_reach_the_model_api(tmp_path: Path) -> None:
    async with whole(tmp_path, ONCE) as gauger:
        assert await gauger.ask() == 429
        assert len(gauger.model.ledger.entries) == 1
