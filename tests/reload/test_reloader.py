"""When files are read anew, and what is said of it."""

import asyncio
import logging
from pathlib import Path

import pytest

from gateway.policy.parse import load
from gateway.policy.quota import Policies
from gateway.policy_directory import read_texts
from gateway.reload import Outcome, Reloader, Written
from tests.parts.clock import Clock
from tests.reload.files import ConfigMap, listening, policy, replace

WRONG = "quotas:\n  - id: a\n    limit: 5 bananas/minute\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "policies" / "quotas.yaml"
    file.parent.mkdir()
    file.write_text(policy("a", "5 requests/minute"))
    return file


def policies_at(path: Path) -> Written[Policies]:
    return Written("policies", path, read=read_texts, parse=load, clock=Clock())


async def test_an_edit_comes_into_force(file: Path) -> None:
    policies = policies_at(file.parent)
    before = policies.digest
    async with listening() as said, Reloader([policies], print).following(None):
        replace(file, policy("a", "6 requests/minute"))
        line = await said.until("in force in the place of", before)
    assert policies.digest in line
    assert policies.value.quotas[0].limits[0].amount == 6


async def test_the_swap_of_a_config_map_comes_into_force(tmp_path: Path) -> None:
    mounted = ConfigMap(tmp_path, {"a.yaml": policy("a", "5 requests/minute")})
    policies = policies_at(tmp_path)
    async with listening() as said, Reloader([policies], print).following(None):
        for amount in (6, 7):
            mounted.swap({"a.yaml": policy("a", f"{amount} requests/minute")})
            await said.until("in force in the place of")
            assert policies.value.quotas[0].limits[0].amount == amount


async def test_half_a_file_is_refused_and_the_whole_is_taken(file: Path) -> None:
    policies, failures = policies_at(file.parent), list[str]()
    whole = policy("a", "6 requests/minute")
    async with listening() as said, Reloader([policies], failures.append).following(None):
        with file.open("w") as opened:
            opened.write(whole[: whole.index("6 requests") + 3])
            opened.flush()
            line = await said.until("policies: the new version is refused")
            assert f"{file}:4:" in line
            assert policies.value.quotas[0].limits[0].amount == 5
            opened.write(whole[whole.index("6 requests") + 3 :])
        await said.until("in force in the place of")
    assert policies.value.quotas[0].limits[0].amount == 6
    assert set(failures) == {"policies"}


async def test_a_directory_that_vanishes_leaves_the_old_in_force(file: Path) -> None:
    policies = policies_at(file.parent)
    away = file.parent.with_name("away")
    async with listening() as said, Reloader([policies], print).following(None):
        file.parent.rename(away)
        await said.until("refused", "does not exist")
        (away / file.name).write_text(policy("a", "6 requests/minute"))
        away.rename(file.parent)
        await said.until("in force in the place of")


async def test_where_no_change_is_told_the_files_are_looked_at(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unwatchable(*_: object, **__: object) -> None:
        raise OSError("no watches are left")

    monkeypatch.setattr("gateway.reload.watch.RustNotify", unwatchable)
    policies = policies_at(file.parent)
    async with listening() as said, Reloader([policies], print).following(0.01):
        await said.until("no watches are left")
        replace(file, policy("a", "6 requests/minute"))
        await said.until("in force in the place of")


async def test_the_same_refusal_is_said_again_only_to_whoever_asks(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    failures: list[str] = []
    reloader = Reloader([policies_at(file.parent)], failures.append)
    replace(file, WRONG)
    with caplog.at_level(logging.INFO):
        await reloader.reload("a change of files", asked=False)
        await reloader.reload("a change of files", asked=False)
        assert len(caplog.records) == 1
        await reloader.reload("SIGHUP")
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
    assert "(SIGHUP)" in caplog.messages[1]
    assert f"{file}:3:12: " in caplog.messages[1]
    assert failures == ["policies"] * 3


async def test_what_is_refused_can_be_asked_for_until_it_is_mended(file: Path) -> None:
    reloader = Reloader([policies_at(file.parent)], print)
    replace(file, WRONG)
    await reloader.reload("SIGHUP")
    (refused,) = reloader.refused
    assert refused.what == "policies"
    replace(file, policy("a", "5 requests/minute"))
    await reloader.reload("SIGHUP")
    assert not reloader.refused


async def test_one_that_is_wrong_keeps_no_other_from_coming_into_force(
    file: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(policy("b", "5 requests/minute"))
    reloader = Reloader([policies_at(file), policies_at(other)], print)
    replace(file, WRONG)
    replace(other, policy("b", "6 requests/minute"))
    outcomes = [one.outcome for one in await reloader.reload("SIGHUP")]
    assert outcomes == [Outcome.REFUSED, Outcome.REPLACED]


async def test_readings_that_are_asked_for_at_once_follow_each_other(file: Path) -> None:
    policies = policies_at(file.parent)
    in_force: list[Policies] = []
    policies.whenever_replaced(in_force.append)
    reloader = Reloader([policies], print)
    replace(file, policy("a", "6 requests/minute"))
    reloaded = await asyncio.gather(*(reloader.reload("SIGHUP") for _ in range(5)))
    outcomes = [one.outcome for (one,) in reloaded]
    assert outcomes == [Outcome.REPLACED, *[Outcome.UNCHANGED] * 4]
    assert len(in_force) == 1


async def test_a_bug_in_the_watching_is_said_and_ends_nothing_else(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("gateway.reload.watch.FileWatch.change", broken)
    policies = policies_at(file.parent)
    reloader = Reloader([policies], print)
    async with listening() as said, reloader.following(None):
        await said.until("Files are no longer watched")
        replace(file, policy("a", "6 requests/minute"))
        (reloaded,) = await reloader.reload("SIGHUP")
        assert reloaded.outcome is Outcome.REPLACED
