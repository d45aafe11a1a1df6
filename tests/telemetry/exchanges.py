"""Finished exchanges for these tests, judged by the real judge."""

from dataclasses import replace
from typing import Any

from gateway.decision.finished import Ending, Finished
from gateway.decision.judge import judge, store_unavailable
from gateway.decision.outcome import Decision
from gateway.decision.plan import Charge, Estimate, Plan
from gateway.decision.port import Reading, Reserved
from gateway.decision.settlement import Delivered, settlement
from gateway.facts.exchange import Ask
from gateway.facts.principal import Account, Principal, Secret
from gateway.facts.refusal import Refusal, RefusalKind
from gateway.facts.usage import Usage
from gateway.policy.quota import SECOND_US, Limit, Quota, Unit
from tests.parts.values import CHAT, charge, limit, quota

DIGEST = "0123456789ab"
BEGAN_US = 1_780_000_000 * SECOND_US
SECRET = Secret(b"for these tests")
ASK = Ask(model="small", stream=True, input_tokens=10, max_output_tokens=100)
USAGE = Usage(input_tokens=12, output_tokens=34, cached_tokens=5, reasoning_tokens=8)
ESTIMATE = Estimate(input_tokens=10, output_tokens=100, declared=True)

REQUESTS = limit(60, quota_id="requests-per-minute")
TOKENS = limit(2_000, Unit.TOKENS, quota_id="tokens-per-day", window_us=86_400 * SECOND_US)
STRICT = limit(5, quota_id="strict-tomorrow")


def reading(
    *, used: int, fits: bool = True, charged: bool = True, retry_after_us: int | None = 0
) -> Reading:
    return Reading(used, fits, charged, retry_after_us, full_after_us=30 * SECOND_US)


def decided(*pairs: tuple[Charge, Reading], admitted: bool) -> Decision:
    charges = tuple(each for each, _ in pairs)
    quotas: dict[str, Quota] = {each.limit.quota_id: quota(each.limit) for each in charges}
    readings = tuple(each for _, each in pairs)
    return judge(Plan(charges, ESTIMATE, DIGEST), Reserved(admitted, BEGAN_US, readings), quotas)


def allowing() -> Decision:
    """Two quotas hold; of the tokens the smaller share is left."""
    return decided(
        (charge(REQUESTS), reading(used=3)),
        (charge(TOKENS, 110), reading(used=1_500)),
        admitted=True,
    )


def refusing(by: Limit = REQUESTS, *, retry_after_us: int | None = 7 * SECOND_US) -> Decision:
    return decided(
        (
            charge(by, by.amount + 1 if retry_after_us is None else 1),
            reading(used=by.amount, fits=False, charged=False, retry_after_us=retry_after_us),
        ),
        (charge(TOKENS, 110), reading(used=0, charged=False)),
        admitted=False,
    )


def shadowed() -> Decision:
    """Allowed, and a shadow quota would have refused."""
    return decided(
        (charge(REQUESTS), reading(used=3)),
        (
            charge(STRICT, shadow=True),
            reading(used=5, fits=False, charged=False, retry_after_us=9 * SECOND_US),
        ),
        admitted=True,
    )


def answered(decision: Decision | None = None, **changes: Any) -> Finished:
    """A stream that ended well: 2 s in all, 10 ms of them ours."""
    finished = Finished(
        request_id="req_1",
        ending=Ending.COMPLETED,
        started_at_us=BEGAN_US,
        ended_at_us=BEGAN_US + 2_000_000,
        method="POST",
        path="/v1/chat/completions",
        dialect="openai",
        route=CHAT,
        ask=ASK,
        principal=Principal(Account("acct_1"), "192.0.2.1"),
        status=200,
        decision=decision or allowing(),
        refusal=None,
        settlement=settlement(ESTIMATE, USAGE, Delivered(began=True, output_tokens=30)),
        upstream_status=200,
        upstream_request_id="up_1",
        upstream_model="small-2026",
        finish_reasons=("stop",),
        upstream_started_at_us=BEGAN_US + 4_000,
        first_byte_at_us=BEGAN_US + 504_000,
        upstream_ended_at_us=BEGAN_US + 1_994_000,
        user_agent="OpenAI/Python 3.3.0",
    )
    return replace(finished, **changes)


def refused(decision: Decision | None = None, **changes: Any) -> Finished:
    decision = decision or refusing()
    return _not_sent(
        decision=decision, refusal=decision.refusal, status=429, ending=Ending.REFUSED, **changes
    )


def rejected(kind: RefusalKind = RefusalKind.NO_CREDENTIAL, **changes: Any) -> Finished:
    """Never judged."""
    given: dict[str, Any] = {
        "decision": None,
        "refusal": Refusal(kind, "No."),
        "status": 401,
        "ending": Ending.REJECTED,
        "principal": None,
        "ask": None,
    }
    return _not_sent(**(given | changes))


def without_store() -> Finished:
    decision = store_unavailable(Plan((charge(REQUESTS),), ESTIMATE, DIGEST))
    return _not_sent(decision=decision, refusal=decision.refusal, status=503, ending=Ending.REFUSED)


def _not_sent(**changes: Any) -> Finished:
    return replace(
        answered(),
        settlement=None,
        upstream_status=None,
        upstream_request_id=None,
        upstream_model=None,
        finish_reasons=(),
        upstream_started_at_us=None,
        first_byte_at_us=None,
        upstream_ended_at_us=None,
        ended_at_us=BEGAN_US + 1_000,
        **changes,
    )
