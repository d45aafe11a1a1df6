"""What these tests tell the console."""

from dataclasses import replace
from typing import Any

from gateway.console import ConsoleStatus
from gateway.policy.quota import SECOND_US, Mode, Policies, Unit, WindowKind
from gateway.reload import Refused
from gateway.telemetry.metrics import Totals
from tests.parts.values import limit, quota

BEGAN_US = 1_780_000_000 * SECOND_US
HOUR_US = 3_600 * SECOND_US

QUOTAS = (
    quota(limit(600, quota_id="requests-per-minute"), where="plans.yaml:3"),
    quota(
        limit(
            200_000,
            Unit.OUTPUT_TOKENS,
            kind=WindowKind.BUCKET,
            window_us=HOUR_US,
            burst=50_000,
            quota_id="frontier-output",
        ),
        per=("account.id", "request.model"),
        mode=Mode.SHADOW,
    ),
)


REFUSED = Refused(
    what="policies",
    in_force="3fa94c17e0b2",
    problems=("plans.yaml:3:12: <b> is no unit.", "plans.yaml:4:10: This is wrong."),
    since_us=BEGAN_US + 90_000 * SECOND_US,
)


def status(**changes: Any) -> ConsoleStatus:
    told = ConsoleStatus(
        version="9.8.7",
        started_at_us=BEGAN_US,
        now_us=BEGAN_US + 93_784 * SECOND_US,
        policies=Policies(QUOTAS, "3fa94c17e0b2"),
        store="redis://counters:6379/0",
        store_fault=None,
        upstream="http://model.example:8000",
        totals=Totals(3, 1_234, 56, 7, 8, 91_011, 121_314),
        accounts=4_321,
        open_reservations=2,
    )
    return replace(told, **changes)
