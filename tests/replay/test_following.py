"""What a recording tells beside its exchanges, and what replay makes of that.

That live decisions are made again is shown in tests/recording.
"""

from collections.abc import Iterable
from pathlib import Path

import pytest

from gateway.policy.parse import load
from gateway.replay.judged import Judged
from gateway.source.problems import Problems
from tests.replay.recordings import DIGEST, TEXTS, begin, decided, ended, event, in_force, replayed
from tests.replay.traffic_files import START_S


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "recorded.jsonl"


def used(judged: Iterable[Judged]) -> dict[str | None, int]:
    """What the only meter read, by the exchange."""
    return {one.record.id: one.decision.readings[0].used for one in judged if one.decision}


async def test_an_exchange_is_told_of_once_it_has_ended(path: Path) -> None:
    lines = [
        *begin(),
        decided(1, "long", 1),
        decided(2, "short", 2),
        decided(2.5, "no", 2, verdict="refuse"),
        ended(3, "short"),
        ended(9, "long", status=None, usage=None, failed=True),
        decided(10, "never ended", 2, verdict="refuse"),
    ]
    _, judged = await replayed(path, lines)
    told = [(one.record.id, one.status, one.record.response.duration) for one in judged]
    assert told[0][0] == "no"
    assert told[1:3] == [("short", 200, 1.0), ("long", 502, 8.0)]
    assert judged[1].record.response.tokens == 48
    assert judged[0].refusal is not None


async def test_what_did_not_end_in_the_recording_is_told_of_all_the_same(path: Path) -> None:
    _, judged = await replayed(path, [*begin(), decided(1, "a", 1)])
    assert [one.record.id for one in judged] == ["a"]


async def test_what_was_refused_live_and_is_allowed_here_ends_at_once(path: Path) -> None:
    """Nobody knows what would have been answered: it counts as all that it reserved."""
    lines = [*begin(), decided(1, "a", 2, verdict="refuse")]
    tokens = "quotas:\n  - {id: tokens, why: w, limit: 200 tokens/minute}\n"
    side, judged = await replayed(path, [*lines, decided(2, "b", 1)], load({"t.yaml": tokens}))
    assert [one.allowed for one in judged] == [True, False]
    assert judged[1].decision is not None
    assert judged[1].decision.readings[0].used == 110
    assert side.verification.by_others == 2


async def test_what_was_allowed_live_and_is_refused_here_costs_what_was_recorded(
    path: Path,
) -> None:
    one = "quotas:\n  - {id: requests, why: w, limit: 1 request/minute}\n"
    lines = [*begin(), decided(1, "a", 1), decided(2, "b", 2), ended(3, "b"), ended(4, "a")]
    _, judged = await replayed(path, lines, load({"one.yaml": one}))
    assert [(j.record.id, j.allowed, j.record.response.tokens) for j in judged] == [
        ("b", False, 48),
        ("a", True, 48),
    ]


async def test_a_decision_is_made_by_the_policies_that_made_it_live(path: Path) -> None:
    """A reload was told of before the store answered whoever had been planned under the old."""
    looser = {"quotas.yaml": TEXTS["quotas.yaml"].replace("2 req", "9 req")}
    after = load(looser).digest
    lines = [*begin(), decided(1, "a", 1), in_force(2, looser), decided(3, "b", 2)]
    lines.append(decided(4, "c", 3, digest=after))
    side, judged = await replayed(path, lines)
    assert side.verification.compared == 3
    assert [one.decision.digest for one in judged if one.decision] == [DIGEST, DIGEST, after]


async def test_policies_that_cannot_be_read_any_more_are_told_with_their_place(
    path: Path,
) -> None:
    broken = event("policies", 0, digest="x", texts={"quotas.yaml": "quotas: [{id: a}]"})
    with pytest.raises(Problems):
        await replayed(path, [broken])


async def test_what_an_operator_granted_holds_until_the_record_does_not_tell_of_it(
    path: Path,
) -> None:
    until_us = round((START_S + 3) * 1e6)
    hand = {
        "grants": [{"quota_id": "requests", "unit": "requests", "units": 3, "until_us": until_us}]
    }
    lines = [*begin(), *(decided(n / 4, str(n), n, hand=hand) for n in (1, 2, 3, 4))]
    late = decided(4, "late", 4, verdict="refuse")
    _, judged = await replayed(path, [*lines, late])
    assert used(judged) == {"1": 1, "2": 2, "3": 3, "4": 4, "late": 4}
    assert [one.record.id for one in judged if not one.allowed] == ["late"]


async def test_what_was_decided_without_the_store_is_taken_over_and_charged(path: Path) -> None:
    lines = [
        *begin(),
        decided(1, "a", 1),
        event("away", 2, kind="timeout"),
        decided(3, "alone", 2, store="share"),
        decided(4, "more", 2, store="open"),
        decided(5, "none", 2, store="unavailable", verdict="refuse"),
        decided(6, "back", 3, verdict="refuse"),
    ]
    side, judged = await replayed(path, lines)
    verification = side.verification
    assert (verification.alone, verification.outages) == (3, 1)
    assert not verification.complete
    by_id = {one.record.id: one for one in judged}
    assert [by_id[name].allowed for name in ("alone", "more", "none")] == [True, True, False]
    assert by_id["back"].decision is not None
    assert by_id["back"].decision.readings[0].used == 3


async def test_a_run_in_memory_begins_with_nothing(path: Path) -> None:
    first = [*begin(), decided(1, "a", 1), decided(2, "b", 2)]
    _, judged = await replayed(path, [*first, *begin(3), decided(4, "c", 1)])
    assert used(judged) == {"a": 1, "b": 2, "c": 1}


async def test_a_further_file_of_a_run_goes_on_with_what_there_is(path: Path) -> None:
    first = [*begin(), decided(1, "a", 1)]
    _, judged = await replayed(path, [*first, *begin(2, part=1), decided(3, "b", 2)])
    assert used(judged) == {"a": 1, "b": 2}


async def test_counters_of_a_shared_store_outlive_a_run(path: Path) -> None:
    first = [*begin(store="redis"), decided(1, "a", 1)]
    side, judged = await replayed(path, [*first, *begin(2, store="redis"), decided(3, "b", 2)])
    assert used(judged) == {"a": 1, "b": 2}
    assert side.verification.begun_in_use == 2


async def test_what_an_operator_reset_is_forgotten(path: Path) -> None:
    meters = ["requests/sliding/requests/60"]
    lines = [*begin(), decided(1, "a", 1), decided(2, "b", 2)]
    lines += [event("reset", 3, account="acct_1", meters=meters), decided(4, "c", 1)]
    _, judged = await replayed(path, lines)
    assert used(judged) == {"a": 1, "b": 2, "c": 1}


async def test_lines_that_are_missing_are_counted(path: Path) -> None:
    side, _ = await replayed(path, [*begin(), event("dropped", 1, count=7)])
    assert side.verification.dropped == 7
    assert not side.verification.complete
    assert not side.verification.exact, "nothing was compared"


async def test_an_end_of_what_nobody_knows_is_passed_over(path: Path) -> None:
    lines = [*begin(), ended(1, "x"), event("renew", 1, id="x"), event("part", 2, id="x")]
    lines.append(event("extend", 3, id="x", tokens=9))
    _, judged = await replayed(path, lines)
    assert not judged


async def test_a_request_that_no_policy_saw_is_told_by_its_kind(path: Path) -> None:
    line = {**decided(1, "a", 1), "rejected": "malformed"}
    del line["decision"], line["facts"]
    _, judged = await replayed(path, [*begin(), line])
    assert judged[0].refusal is not None
    assert (judged[0].refusal.kind, judged[0].status) == ("malformed", 400)


async def test_a_route_that_these_policies_do_not_serve_is_refused(path: Path) -> None:
    line = decided(1, "a", 1, digest=DIGEST)
    line["facts"]["route"] = "operators-own"
    _, judged = await replayed(path, [*begin(), line], load(TEXTS))
    assert judged[0].refusal is not None
    assert judged[0].refusal.kind == "unknown_route"


async def test_a_recordings_clock_may_be_set_back(path: Path) -> None:
    side, _ = await replayed(path, [*begin(10), decided(11, "a", 1), decided(5, "b", 2)])
    assert side.verification.compared == 2


@pytest.mark.parametrize(
    "line",
    [
        event("unheard-of", 1),
        event("end", 1),
        {**decided(1, "a", 1), "facts": {"route": 5}},
        {**decided(1, "a", 1), "decision": {"verdict": "allow"}},
    ],
)
async def test_a_line_that_cannot_be_read_is_told_with_its_place(
    path: Path, line: dict[str, object]
) -> None:
    with pytest.raises(Problems) as raised:
        await replayed(path, [*begin(), line])
    assert raised.value.problems[0].line == 3
