from dataclasses import replace

import pytest
from msgspec.structs import replace as with_

from gateway.decision.judge import judge
from gateway.decision.outcome import Decision
from gateway.decision.plan import Plan
from gateway.decision.port import Reading, Reserved
from gateway.facts.refusal import Refusal, RefusalKind
from gateway.replay.events import MoreReserved
from gateway.replay.record import Record
from gateway.replay.recorded_decision import RecordedDecision, recorded_decision
from gateway.replay.verification import SHOWN, Verification
from tests.parts.values import ESTIMATE, charge, limit, quota

QUOTA = quota(limit(5, quota_id="requests"))
METER = "requests/sliding/requests/60"


def decision(used: int = 3, *, fits: bool = True) -> Decision:
    reading = Reading(used, fits, fits, 0 if fits else 9_000_000, 60_000_000)
    of = charge(QUOTA.limits[0])
    return judge(Plan((of,), ESTIMATE, "d"), Reserved(fits, 1, (reading,)), {"requests": QUOTA})


def record(live: RecordedDecision | None, at: float = 1.5) -> Record:
    return Record(at=at, account="acct_1", path="/", id="req_1", decision=live)


def noted(live: Decision, again: Decision, *, comparable: bool = True) -> Verification:
    subject = Verification()
    subject.note(record(recorded_decision(live)), again, comparable=comparable)
    return subject


def test_the_same_decision_is_the_same() -> None:
    subject = noted(decision(), decision())
    assert (subject.compared, subject.same, subject.different) == (1, 1, 0)
    assert subject.exact


@pytest.mark.parametrize(
    ("again", "how"),
    [
        (decision(4), f"{METER}: used 3, then 4"),
        (decision(fits=False), "verdict: allow, then refuse (rate)"),
        (decision(fits=False), "retry after: never, then 9 s"),
        (decision(fits=False), "reasons: none, then requests quota_exceeded"),
        (replace(decision(), binding=None), f"the limit that bound: {METER}, then none"),
        (replace(decision(), charges=(), readings=(), binding=None), f"limits: {METER}, then none"),
        (
            replace(decision(), estimate=replace(ESTIMATE, output_tokens=7, declared=False)),
            "estimate: 10 in and 100 out (declared), then 10 in and 7 out (learned)",
        ),
    ],
)
def test_a_difference_is_told_as_recorded_and_as_replayed(again: Decision, how: str) -> None:
    subject = noted(decision(), again)
    assert not subject.exact
    assert how in subject.differences[0].how
    assert (subject.differences[0].account, subject.differences[0].id) == ("acct_1", "req_1")


def test_how_much_later_a_crowd_is_told_to_come_back_is_no_difference() -> None:
    wait = Refusal(RefusalKind.RATE, "", retry_after_us=9_300_000)
    live = replace(decision(fits=False), refusal=wait, later_us=300_000)
    assert noted(live, decision(fits=False)).exact


def test_what_cannot_be_compared_is_counted_apart() -> None:
    subject = noted(decision(), decision(4), comparable=False)
    alone = with_(recorded_decision(decision()), store="share")
    subject.note(record(alone), decision(4), comparable=True)
    subject.note(record(None), decision(), comparable=True)
    assert (subject.by_others, subject.alone, subject.compared) == (1, 1, 0)
    assert not subject.exact, "nothing was compared"


def test_of_many_differences_the_first_are_kept() -> None:
    subject = Verification()
    for at in range(SHOWN + 5):
        live = recorded_decision(decision())
        subject.note(record(live, float(at)), decision(4), comparable=True)
    assert subject.different == SHOWN + 5
    assert [one.at_us for one in subject.differences] == [at * 1_000_000 for at in range(SHOWN)]


def test_an_extension_is_compared_by_what_became_of_it() -> None:
    live = MoreReserved(2.0, "req_1", 256)
    subject = Verification()
    subject.note_extension(record(None), live, live)
    assert subject.exact
    subject.note_extension(record(None), with_(live, store="open"), with_(live, refusal="rate"))
    assert (subject.alone, subject.exact) == (1, True)
    refused = with_(live, refusal="rate", retry_after_us=2_000_000)
    subject.note_extension(record(None), live, refused)
    assert subject.differences[0].how == ("256 tokens more: granted, then refused (rate, 2 s)",)
