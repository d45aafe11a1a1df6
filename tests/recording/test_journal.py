"""What the recorder makes of what it hears; its order and moments are shown in test_exact."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.decision.finished import Ending, Finished
from gateway.decision.judge import judge
from gateway.decision.plan import Plan
from gateway.decision.port import Reserved, StoreState
from gateway.decision.settlement import Delivered
from gateway.facts.refusal import Refusal, RefusalKind
from gateway.facts.usage import UNREPORTED, Usage
from gateway.recording import Recording, journal
from tests.parts.clock import START_US, Clock
from tests.parts.values import ESTIMATE, facts

S = 1_000_000
ALLOWED = judge(Plan((), ESTIMATE, "digest"), None, {})

Written = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "t.jsonl"


def begun(path: Path, store: str = "memory", **of: Any) -> Recording:
    subject = Recording(path, store=store, clock=Clock(), pseudonym=str.upper, **of)
    subject.policies_in_force("digest", {"q.yaml": "quotas: []"})
    return subject


def written(subject: Recording, path: Path) -> list[dict[str, Any]]:
    """After the head."""
    subject.close()
    return [json.loads(line) for line in path.read_text().splitlines()][2:]


def reserved(at_us: int, state: StoreState = StoreState.OK) -> Reserved:
    return Reserved(admitted=True, at_us=at_us, readings=(), state=state)


def finished(ending: Ending, **of: Any) -> Finished:
    return Finished(
        request_id="req_1",
        ending=ending,
        started_at_us=0,
        ended_at_us=1,
        method="POST",
        path="/v1/chat/completions",
        dialect="openai",
        route=None,
        ask=None,
        status=400,
        decision=None,
        settlement=None,
        **{"principal": facts().principal, "refusal": None, **of},
    )


def test_a_file_begins_with_the_run_and_what_is_in_force(path: Path) -> None:
    subject = begun(path)
    subject.close()
    head = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["event"] for line in head] == ["begin", "policies"]
    assert (head[0]["part"], head[0]["store"]) == (0, "memory")
    assert head[1]["texts"] == {"q.yaml": "quotas: []"}


def test_moments_are_those_of_the_store(path: Path) -> None:
    subject = begun(path)
    subject.decided("a", facts(), ALLOWED, reserved(START_US + 5 * S))
    subject.renewed("a", START_US + 9 * S)
    subject.settled("a", Usage(1, 2), Delivered(began=True, status=200), START_US + 11 * S, 1)
    lines = written(subject, path)
    assert [round(line["at"] * S) - START_US for line in lines] == [5 * S, 9 * S, 11 * S]
    assert lines[2]["usage"] == {"input_tokens": 1, "output_tokens": 2}
    assert lines[2]["status"] == 200


def test_what_the_store_tells_no_moment_of_is_not_later_than_what_it_will_yet_tell(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elapsed_ns = 0
    monkeypatch.setattr(journal, "monotonic_ns", lambda: elapsed_ns)
    subject = begun(path, store="redis")
    subject.decided("a", facts(), ALLOWED, reserved(START_US + 5 * S))
    elapsed_ns = 400_000_000
    subject.decided("b", facts(), ALLOWED, None)
    elapsed_ns = 3_000_000_000
    subject.decided("c", facts(), ALLOWED, None)
    moments = [round(line["at"] * S) - START_US for line in written(subject, path)]
    assert moments == [5 * S, 5 * S, 7 * S]


def test_an_outage_is_told_once(path: Path) -> None:
    subject = begun(path)
    for _ in range(2):
        subject.store_failed("timeout")
        subject.store_failed("connection")
        subject.decided("a", facts(), ALLOWED, reserved(START_US, StoreState.SHARE))
        subject.decided("b", facts(), ALLOWED, None)
        subject.store_failed("timeout")
        subject.decided("c", facts(), ALLOWED, reserved(START_US))
    events = [line.get("event", line.get("id")) for line in written(subject, path)]
    assert events == ["away", "a", "b", "c"] * 2


def test_a_stream_that_grew_tells_by_how_much_and_what_became_of_it(path: Path) -> None:
    subject = begun(path)
    subject.extended("a", 256, reserved(START_US), None)
    subject.extended("a", 300, None, Refusal(RefusalKind.RATE, "", retry_after_us=7))
    granted, refused = written(subject, path)
    assert (granted["tokens"], granted.get("refusal"), granted.get("store")) == (256, None, None)
    assert (refused["refusal"], refused["retry_after_us"], refused["store"]) == (
        "rate", 7, "unavailable"
    )  # fmt: skip


def test_an_end_without_a_usage_says_what_passed(path: Path) -> None:
    subject = begun(path)
    subject.settled("a", UNREPORTED, Delivered(began=True, output_tokens=9, aborted=True), None, 0)
    (line,) = written(subject, path)
    assert "usage" not in line
    assert (line["delivered"], line["aborted"], line["parts"]) == (9, True, 0)


def test_what_was_turned_away_is_recorded_if_its_account_is_known(path: Path) -> None:
    refusal = Refusal(RefusalKind.MALFORMED, "no")
    subject = begun(path)
    subject.finished(finished(Ending.REJECTED, refusal=refusal))
    subject.finished(finished(Ending.REJECTED, refusal=refusal, principal=None))
    subject.finished(finished(Ending.COMPLETED))
    (line,) = written(subject, path)
    assert (line["account"], line["rejected"]) == ("acct_1", "malformed")


def test_bodies_are_kept_for_their_own_exchange_and_only_if_asked_for(path: Path) -> None:
    subject = begun(path, bodies=True)
    subject.keep_body("a", b'{"x": 1}')
    subject.keep_body("b", b'{"y": 2}')
    subject.finished(finished(Ending.CLIENT_LEFT))
    subject.decided("b", facts(), ALLOWED, None)
    subject.decided("a", facts(), ALLOWED, None)
    assert [line["body"] for line in written(subject, path)] == [{"y": 2}, {"x": 1}]
    other = begun(path)
    other.keep_body("a", b'{"x": 1}')
    other.decided("a", facts(), ALLOWED, None)
    assert "body" not in written(other, path)[0]


def test_more_bodies_than_may_wait_are_left_out(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "MOST_BODIES_BYTES", 10)
    subject = begun(path, bodies=True)
    subject.keep_body("a", b'{"x": 1}')
    subject.keep_body("b", b'{"y": 2}')
    subject.decided("b", facts(), ALLOWED, None)
    subject.decided("a", facts(), ALLOWED, None)
    subject.keep_body("c", b'{"z": 3}')
    subject.decided("c", facts(), ALLOWED, None)
    assert [line.get("body") for line in written(subject, path)] == [None, {"x": 1}, {"z": 3}]
