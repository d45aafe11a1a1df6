"""Values that many tests need, with only what matters spelled out."""

from gateway.decision.plan import Charge, Estimate, Partition
from gateway.facts.catalog import Facts
from gateway.facts.exchange import Ask, Route, RouteName
from gateway.facts.principal import Account, Principal
from gateway.policy.quota import (
    SECOND_US,
    Limit,
    OnStoreFailure,
    Period,
    Policies,
    Quota,
    Unit,
    WindowKind,
)

CHAT = Route(RouteName.CHAT, "POST", "/v1/chat/completions", generates=True)
MODELS = Route(RouteName.MODELS, "GET", "/v1/models", generates=False)

MINUTE_US = 60 * SECOND_US


def facts(
    account: str = "acct_1",
    *,
    organization: str | None = None,
    model: str | None = "small",
    route: Route = CHAT,
    input_tokens: int = 10,
    max_output_tokens: int | None = 100,
    choices: int = 1,
    stream: bool = False,
) -> Facts:
    return Facts(
        principal=Principal(Account(account, organization=organization), "192.0.2.1"),
        route=route,
        dialect="openai",
        ask=Ask(
            model=model,
            stream=stream,
            input_tokens=input_tokens,
            max_output_tokens=max_output_tokens,
            choices=choices,
        ),
    )


def limit(
    amount: int,
    unit: Unit = Unit.REQUESTS,
    *,
    window_us: int = MINUTE_US,
    kind: WindowKind | None = None,
    burst: int | None = None,
    quota_id: str = "quota",
    lease_us: int = 30 * SECOND_US,
    on_store_failure: OnStoreFailure = OnStoreFailure.SHARE,
) -> Limit:
    if unit is Unit.CONCURRENT:
        return Limit(
            quota_id,
            unit,
            WindowKind.IN_FLIGHT,
            amount,
            lease_us=lease_us,
            on_store_failure=on_store_failure,
        )
    return Limit(
        quota_id,
        unit,
        kind or WindowKind.SLIDING,
        amount,
        window_us,
        burst=amount if burst is None else burst,
        on_store_failure=on_store_failure,
    )


DAYS = {Period.MINUTE: 1 / 1440, Period.HOUR: 1 / 24, Period.DAY: 1, Period.WEEK: 7}


def calendar_limit(
    amount: int,
    period: Period,
    unit: Unit = Unit.REQUESTS,
    *,
    timezone: str = "Europe/Berlin",
    quota_id: str = "quota",
) -> Limit:
    return Limit(
        quota_id,
        unit,
        WindowKind.CALENDAR,
        amount,
        int(DAYS.get(period, 30) * 24 * 60 * MINUTE_US),
        burst=amount,
        period=period,
        timezone=timezone,
    )


def quota(*limits: Limit, per: tuple[str, ...] = ("account.id",), **rest: object) -> Quota:
    quota_id = limits[0].quota_id
    return Quota(quota_id, f"The why of {quota_id}.", limits, per, **rest)  # type: ignore[arg-type]


def policies(*quotas: Quota) -> Policies:
    return Policies(quotas, digest="0123456789ab")


def charge(of: Limit, amount: int = 1, *, account: str = "acct_1", shadow: bool = False) -> Charge:
    return Charge(of, Partition((("account.id", account),)), amount, shadow)


ESTIMATE = Estimate(input_tokens=10, output_tokens=100, declared=True)
