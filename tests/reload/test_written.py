"""What comes into force, and what stays."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.errors import OperatorError
from gateway.policy.parse import digest
from gateway.reload import Outcome, Written
from gateway.source.problems import START, Problems, Source
from tests.parts.clock import Clock


class Disk:
    """Texts under names, and how often they were read."""

    def __init__(self, **texts: str) -> None:
        self.texts: Mapping[str, str] = texts
        self.coming: list[Mapping[str, str]] = []
        """What the next readings will find."""
        self.readings = 0

    def read(self, _: Path) -> Mapping[str, str]:
        self.readings += 1
        if self.coming:
            self.texts = self.coming.pop(0)
        return self.texts


def parse(texts: Mapping[str, str]) -> str:
    if "bug" in texts.values():
        raise KeyError("sk-a-key-that-was-read")
    problems = [
        Source(name, text).problem(START, "This is wrong.")
        for name, text in texts.items()
        if text == "wrong"
    ]
    if problems:
        raise Problems(problems)
    return "+".join(texts.values())


def written(disk: Disk, in_force: list[str], clock: Clock | None = None) -> Written[str]:
    one = Written("policies", Path(), read=disk.read, parse=parse, clock=clock or Clock())
    one.whenever_replaced(in_force.append)
    return one


async def test_a_sound_version_comes_into_force() -> None:
    disk, in_force = Disk(a="1"), list[str]()
    one = written(disk, in_force)
    disk.texts = {"a": "2", "b": "3"}
    reloaded = await one.reload()
    assert reloaded.outcome is Outcome.REPLACED
    assert in_force == [one.value] == ["2+3"]
    assert reloaded.digest == one.digest == digest(disk.texts)


async def test_the_same_again_does_nothing() -> None:
    disk, in_force = Disk(a="1"), list[str]()
    one = written(disk, in_force)
    assert (await one.reload()).outcome is Outcome.UNCHANGED
    assert in_force == []


async def test_a_wrong_version_leaves_the_old_in_force_and_says_where_it_is_wrong() -> None:
    disk, in_force, clock = Disk(a="1"), list[str](), Clock()
    one = written(disk, in_force, clock)
    disk.texts = {"a": "wrong", "b": "wrong"}
    reloaded = await one.reload()
    assert reloaded.outcome is Outcome.REFUSED
    assert reloaded.problems == ("a:1:1: This is wrong.", "b:1:1: This is wrong.")
    assert (one.value, reloaded.digest, in_force) == ("1", digest({"a": "1"}), [])
    assert one.refused is not None
    assert (one.refused.since_us, one.refused.in_force) == (clock.now_us, one.digest)


async def test_a_version_is_refused_since_it_was_first_met() -> None:
    disk, clock = Disk(a="1"), Clock()
    one = written(disk, [], clock)
    began_us = clock.now_us
    disk.texts = {"a": "wrong"}
    await one.reload()
    clock.now_us += 5
    await one.reload()
    assert one.refused is not None
    assert one.refused.since_us == began_us
    disk.texts = {"b": "wrong"}
    await one.reload()
    assert one.refused.since_us == clock.now_us


@pytest.mark.parametrize("mended", ["1", "2"])
async def test_what_was_refused_is_forgotten_once_it_is_mended_or_taken_back(mended: str) -> None:
    disk = Disk(a="1")
    one = written(disk, [])
    disk.texts = {"a": "wrong"}
    await one.reload()
    disk.texts = {"a": mended}
    await one.reload()
    assert (one.value, one.refused) == (mended, None)


async def test_what_cannot_be_read_is_refused() -> None:
    disk = Disk(a="1")
    one = written(disk, [])

    def gone(_: Path) -> Mapping[str, str]:
        raise OperatorError("It does not exist.")

    one._read = gone
    assert (await one.reload()).problems == ("It does not exist.",)
    assert one.value == "1"


async def test_a_bug_leaves_the_old_in_force_and_repeats_nothing_that_was_read() -> None:
    disk = Disk(a="1")
    one = written(disk, [])
    disk.texts = {"a": "bug"}
    reloaded = await one.reload()
    assert reloaded.outcome is Outcome.REFUSED
    assert "KeyError at test_written.py:" in reloaded.problems[0]
    assert "sk-a-key" not in reloaded.problems[0]


async def test_what_cannot_be_put_in_force_is_refused() -> None:
    disk = Disk(a="1")
    one = written(disk, [])

    def unwilling(value: str) -> None:
        assert one.value == value
        raise OperatorError("It does not go with the accounts.")

    one.whenever_replaced(unwilling)
    disk.texts = {"a": "2"}
    assert (await one.reload()).problems == ("It does not go with the accounts.",)
    assert (one.value, one.digest) == ("1", digest({"a": "1"}))


async def test_files_that_were_named_by_another_are_watched_with_it() -> None:
    disk = Disk(**{"etc/identities.yaml": "1"})
    one = written(disk, [])
    disk.texts = {"etc/identities.yaml": "2", "keys/jwks.json": "3"}
    await one.reload()
    assert one.paths == {Path(), Path("etc/identities.yaml"), Path("keys/jwks.json")}


async def test_a_reading_between_two_versions_is_not_taken() -> None:
    old, mixed, new = ({"a": a, "b": b} for a, b in ("11", "21", "22"))
    disk, in_force = Disk(**old), list[str]()
    one = written(disk, in_force)
    disk.coming = [mixed, new]
    await one.reload()
    assert in_force == ["2+2"]


async def test_what_never_rests_is_refused_and_reading_it_ends() -> None:
    disk, in_force = Disk(a="1"), list[str]()
    one = written(disk, in_force)
    disk.coming = [{"a": str(number)} for number in range(2, 100)]
    assert "changes while it is read" in (await one.reload()).problems[0]
    assert in_force == []
    assert disk.readings < 10


def test_a_wrong_first_version_is_no_start() -> None:
    with pytest.raises(Problems):
        written(Disk(a="wrong"), [])
