"""Quotas as headers: the IETF fields that both dialects send, and what their own fields share.

draft-ietf-httpapi-ratelimit-headers-10: Structured Fields (RFC 9651), each a list of strings with
parameters. The partition key is left out, since it would tell who shares a limit with whom.
"""

from collections import Counter
from collections.abc import Sequence

from gateway.facts.dialects.port import Headers
from gateway.facts.refusal import QuotaState

SECOND_US = 1_000_000

_LARGEST_INTEGER = 999_999_999_999_999
"""Of a structured field (RFC 9651, section 3.3.1)."""

_UNITS = {
    "tokens": "tokens",
    "input_tokens": "input-tokens",
    "output_tokens": "output-tokens",
    "reasoning_tokens": "reasoning-tokens",
    "cached_tokens": "cached-tokens",
    "micro_usd": "micro-usd",
    "concurrent": "concurrent-requests",
}
"""`qu` by unit; requests are the default and are not named. The tokens are our own."""

_WEIGHTED = "weighted-tokens"
"""`qu` of tokens that count by weights."""


def reset_us(quota: QuotaState) -> int:
    """Until a limit resets, in all fields alike: for one that refused, until it would admit.

    So no field contradicts `Retry-After`, which is derived from the same figure.
    """
    return quota.full_after_us if quota.retry_after_us is None else quota.retry_after_us


def whole_seconds(us: int) -> int:
    """Rounded up: who comes back then finds what was promised."""
    return -(-us // SECOND_US)


def scarcest(quotas: Sequence[QuotaState], unit: str) -> QuotaState | None:
    """The one limit of this unit to show where a dialect has room for one.

    The one that refused; of several, the one to wait for longest. If none did, the one with the
    smallest share left. What counts by weights is shown in the IETF fields alone, since a dialect's
    own field would pass it off as tokens.
    """
    of_unit = [quota for quota in quotas if quota.unit == unit and not quota.weighted]
    return min(of_unit, key=_plenty, default=None)


def ietf_headers(quotas: Sequence[QuotaState]) -> Headers:
    """None at all if there is nothing to tell."""
    if not quotas:
        return []
    named = list(zip(_names(quotas), quotas, strict=True))
    return [
        (b"ratelimit-policy", ", ".join(_policy(*item) for item in named).encode()),
        (b"ratelimit", ", ".join(_remaining(*item) for item in named).encode()),
    ]


def _plenty(quota: QuotaState) -> tuple[bool, float, float]:
    if quota.refused:
        wait_us = quota.retry_after_us
        return (False, float("-inf") if wait_us is None else -wait_us, 0)
    return (True, 0, quota.remaining / max(1, quota.limit))


def _policy(name: str, quota: QuotaState) -> str:
    item = f'"{name}";q={_integer(quota.limit)}'
    counted = _WEIGHTED if quota.weighted else _UNITS.get(quota.unit)
    if counted is not None:
        item += f';qu="{counted}"'
    if quota.window_us is not None:
        item += f";w={_integer(whole_seconds(quota.window_us))}"
    return item


def _remaining(name: str, quota: QuotaState) -> str:
    item = f'"{name}";r={_integer(quota.remaining)}'
    if quota.window_us is not None:  # when another exchange ends, nobody knows
        item += f";t={_integer(whole_seconds(reset_us(quota)))}"
    return item


def _integer(number: int) -> int:
    return min(number, _LARGEST_INTEGER)


def _names(quotas: Sequence[QuotaState]) -> list[str]:
    """The quotas' ids; where one has several limits, with as much more as tells them apart.

    An id is a-z, 0-9 and hyphens, so that no name needs an escape in a structured field.
    """
    ids = Counter(quota.name for quota in quotas)
    units = Counter((quota.name, quota.unit) for quota in quotas)
    names: list[str] = []
    for quota in quotas:
        name = quota.name
        if ids[quota.name] > 1:
            name += "-" + quota.unit.replace("_", "-")
        if units[quota.name, quota.unit] > 1 and quota.window_us is not None:
            name += f"-{whole_seconds(quota.window_us)}s"
        while name in names:
            name += "-also"
        names.append(name)
    return names
