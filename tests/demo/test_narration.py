import io

import pytest
from rich.console import Console

from gateway.decision.finished import Ending, Finished
from gateway.decision.judge import judge
from gateway.decision.outcome import Decision
from gateway.decision.plan import Plan
from gateway.decision.port import Reading, Reserved
from gateway.decision.settlement import Delivered, Settlement, settlement
from gateway.demo.ledger import Ledger
from gateway.demo.narration import Line, Narrator, line
from gateway.demo.summary import Tally
from gateway.facts.refusal import Refusal, RefusalKind
from gateway.facts.usage import Usage
from gateway.policy.quota import SECOND_US, Unit
from tests.parts.values import CHAT, ESTIMATE, charge, facts, limit, quota

NAMES = {"acct_1": "ada"}
REQUESTS = limit(5, quota_id="requests")
TOKENS = limit(500, Unit.TOKENS, quota_id="tokens")
SHADOW = limit(1, quota_id="tighter")
QUOTAS = {each.quota_id: quota(each) for each in (REQUESTS, TOKENS, SHADOW)}
SETTLED = settlement(ESTIMATE, Usage(input_tokens=9, output_tokens=21), Delivered(began=True))


def decision(*, used: int, shadow_fits: bool = True) -> Decision:
    fits = used < 5
    charges = (charge(REQUESTS), charge(TOKENS, 110), charge(SHADOW, shadow=True))
    wait_us = None if fits else 8 * SECOND_US
    readings = (
        Reading(fits=fits, charged=fits, used=used + fits, retry_after_us=wait_us, full_after_us=0),
        Reading(fits=True, charged=fits, used=110, retry_after_us=None, full_after_us=0),
        Reading(
            fits=shadow_fits, charged=shadow_fits, used=1, retry_after_us=None, full_after_us=0
        ),
    )
    return judge(Plan(charges, ESTIMATE, "0123456789ab"), Reserved(fits, 0, readings), QUOTAS)


def exchange(
    ending: Ending,
    decided: Decision | None,
    settled: Settlement | None = None,
    refusal: Refusal | None = None,
    status: int | None = 200,
) -> Finished:
    asked = facts(stream=True)
    known = decided is not None
    return Finished(
        request_id="req_1",
        ending=ending,
        started_at_us=0,
        ended_at_us=1_500_000,
        method="POST",
        path=CHAT.path if known else "",
        dialect="openai",
        route=CHAT if known else None,
        ask=asked.ask if known else None,
        principal=asked.principal if known else None,
        status=status,
        decision=decided,
        refusal=refusal or (decided.refusal if decided else None),
        settlement=settled,
    )


SERVED = exchange(Ending.COMPLETED, decision(used=2), SETTLED)
REFUSED = exchange(Ending.REFUSED, decision(used=5), status=429)
UNKNOWN = exchange(
    Ending.REJECTED, None, refusal=Refusal(RefusalKind.UNKNOWN_ROUTE, "Not served."), status=404
)


def no_reader_left() -> None:
    pytest.fail("somebody reads")


def told(finished: Finished) -> Line:
    return line(finished, NAMES)


def test_what_was_served_tells_the_charge_and_what_is_left() -> None:
    said = told(SERVED)
    assert (said.who, said.asked, said.status, said.verdict) == (
        "ada",
        "chat small stream",
        "200",
        "allowed",
    )
    assert said.detail == "charged 30 of 110 reserved tokens; 2 of 5 requests left"
    assert said.whys == ()


def test_a_refusal_tells_the_wait_and_the_operators_reason() -> None:
    said = told(REFUSED)
    assert (said.status, said.verdict) == ("429", "wait")
    assert "Retry in 8 s." in said.detail
    assert said.whys == ("requests: The why of requests.",)


def test_what_a_shadow_quota_would_do_is_told_and_is_no_refusal() -> None:
    said = told(exchange(Ending.COMPLETED, decision(used=2, shadow_fits=False), SETTLED))
    assert said.verdict == "allowed"
    assert said.detail.endswith("; tighter would refuse (shadow)")


def test_a_rejected_request_is_nobodys() -> None:
    said = told(UNKNOWN)
    assert (said.who, said.asked, said.status) == ("-", "a path that is no route", "404")
    assert (said.verdict, said.detail) == ("rejected", "Not served.")


def test_who_left_is_charged_for_what_was_delivered() -> None:
    settled = settlement(ESTIMATE, Usage(), Delivered(began=True, output_tokens=4))
    said = told(exchange(Ending.CLIENT_LEFT, decision(used=2), settled, status=None))
    assert (said.status, said.verdict) == ("-", "left")
    assert "charged 14 of 110 reserved tokens, counted as delivered" in said.detail


@pytest.mark.parametrize("ending", Ending)
def test_every_ending_can_be_told(ending: Ending) -> None:
    console = Console(file=io.StringIO())
    Narrator(console, NAMES, no_reader_left).tell(exchange(ending, decision(used=2), SETTLED))


def test_a_reader_who_leaves_is_told_and_nothing_more_is_written() -> None:
    class Closed(Console):
        def print(self, *_args: object, **_rest: object) -> None:
            raise SystemExit(1)

    left: list[bool] = []
    Narrator(Closed(), NAMES, lambda: left.append(True)).tell(SERVED)
    assert left == [True]


def test_the_summary_sets_our_books_beside_the_model_apis() -> None:
    to = Console(file=io.StringIO(), width=100)
    tally = Tally(NAMES)
    for finished in (SERVED, SERVED, REFUSED, UNKNOWN):
        tally.add(finished)
    tally.show(to, Ledger())
    said = to.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
    assert "60 tokens charged, 0 in the model API's own books" in said
    row = next(row for row in said.splitlines() if row.startswith("ada"))
    assert row.split() == ["ada", "2", "1", "0", "0", "0", "0", "60"]
