import random

from gateway.simulation.shards import shards
from gateway.simulation.texts import Texts

GARDEN = [
    f"The {word} in the garden needs compost and water, entry {at}"
    for at, word in enumerate(["tomato", "hedge", "lawn", "rose", "orchard"] * 8)
]
HARBOUR = [
    f"A {word} left the harbour with cargo and crew, entry {at}"
    for at, word in enumerate(["ferry", "tanker", "sloop", "barge", "cutter"] * 8)
]
BOTH = Texts("t", GARDEN + HARBOUR)


def test_shards_have_all_texts_and_none_twice() -> None:
    parts = shards(BOTH, 2, random.Random(1))
    flat = [text for part in parts for text in part]
    assert sorted(flat) == sorted(BOTH.items)


def test_shards_part_what_is_about_different_things() -> None:
    apart = 0
    for seed in range(20):
        first, second = shards(BOTH, 2, random.Random(seed))
        gardens = sum("garden" in text for text in first), sum("garden" in text for text in second)
        apart += min(gardens) == 0 and len(first) == len(second)
    assert apart >= 8, "half of the seeds begin with one text of each"


def test_every_shard_has_enough_to_ask() -> None:
    assert [len(part) for part in shards(BOTH, 80, random.Random(1))] == [1] * 80
    assert min(len(part) for part in shards(BOTH, 4, random.Random(1))) >= 20
