"""The IETF fields, read back by a parser of structured fields that is not ours."""

from typing import Any

import http_sf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.facts.dialects.rate_limit_fields import ietf_headers, reset_us, scarcest
from gateway.facts.refusal import QuotaState
from tests.facts.dialects.answers import SECOND_US, header, state

Items = list[tuple[str, dict[str, Any]]]


def parsed(*quotas: QuotaState) -> tuple[Items, Items]:
    """Policies and what remains, as an independent reader understands them."""
    headers = ietf_headers(quotas)
    policy, remaining = (header(headers, name) for name in ("ratelimit-policy", "ratelimit"))
    assert policy is not None
    assert remaining is not None
    lists = [http_sf.parse(text.encode(), tltype="list") for text in (policy, remaining)]
    return lists[0], lists[1]  # type: ignore[return-value]


def test_the_fields_are_those_of_the_draft() -> None:
    minute = state(limit=60, remaining=0, retry_after_us=16_840_000, refused=True)
    day = state("tokens", name="daily-tokens", limit=500_000, remaining=77, window_s=86_400)
    assert ietf_headers([minute, day]) == [
        (b"ratelimit-policy", b'"rpm";q=60;w=60, "daily-tokens";q=500000;qu="tokens";w=86400'),
        (b"ratelimit", b'"rpm";r=0;t=17, "daily-tokens";r=77;t=30'),
    ]


def test_nothing_to_tell_is_no_header() -> None:
    assert ietf_headers([]) == []


@pytest.mark.parametrize(
    ("unit", "parameters"),
    [
        ("requests", {"q": 60, "w": 60}),
        ("tokens", {"q": 60, "qu": "tokens", "w": 60}),
        ("input_tokens", {"q": 60, "qu": "input-tokens", "w": 60}),
        ("output_tokens", {"q": 60, "qu": "output-tokens", "w": 60}),
    ],
)
def test_a_policy_says_what_it_counts(unit: str, parameters: dict[str, object]) -> None:
    assert parsed(state(unit))[0] == [("rpm", parameters)]


def test_weighted_tokens_are_called_so_and_never_shown_as_tokens() -> None:
    weighted = state("tokens", weighted=True)
    assert parsed(weighted)[0] == [("rpm", {"q": 60, "qu": "weighted-tokens", "w": 60})]
    plain = state("tokens", remaining=59)
    assert scarcest([weighted, plain], "tokens") is plain
    assert scarcest([weighted], "tokens") is None


def test_what_is_in_flight_has_no_window_and_no_time() -> None:
    in_flight = state("concurrent", name="in-flight", limit=8, remaining=3, window_s=None)
    assert parsed(in_flight) == (
        [("in-flight", {"q": 8, "qu": "concurrent-requests"})],
        [("in-flight", {"r": 3})],
    )


@pytest.mark.parametrize(
    ("quotas", "names"),
    [
        ([state(name="a"), state("tokens", name="b")], ["a", "b"]),
        ([state(name="a"), state("output_tokens", name="a")], ["a-requests", "a-output-tokens"]),
        (
            [state(name="a"), state(name="a", window_s=3600)],
            ["a-requests-60s", "a-requests-3600s"],
        ),
        (
            [
                state(name="a"),
                state(name="a", window_s=3600),
                state("tokens", name="a"),
                state(name="b"),
            ],
            ["a-requests-60s", "a-requests-3600s", "a-tokens", "b"],
        ),
        (
            [state("tokens", name="a"), state(name="a"), state(name="a-tokens")],
            ["a-tokens", "a-requests", "a-tokens-also"],
        ),
        ([state(name="a"), state(name="a")], ["a-requests-60s", "a-requests-60s-also"]),
    ],
)
def test_names_are_ids_and_unique(quotas: list[QuotaState], names: list[str]) -> None:
    policies, remaining = parsed(*quotas)
    assert [name for name, _ in policies] == names
    assert [name for name, _ in remaining] == names


QUOTAS = st.builds(
    QuotaState,
    name=st.from_regex(r"[a-z0-9][a-z0-9-]{0,10}", fullmatch=True) | st.sampled_from(["a", "b"]),
    unit=st.sampled_from(["requests", "tokens", "input_tokens", "output_tokens", "concurrent"]),
    limit=st.integers(0, 2**62),
    remaining=st.integers(0, 2**62),
    window_us=st.none() | st.integers(1, 10**6).map(lambda seconds: seconds * SECOND_US),
    full_after_us=st.integers(0, 2**70),
    retry_after_us=st.none() | st.integers(0, 2**70),
    refused=st.booleans(),
)


@given(st.lists(QUOTAS, min_size=1, max_size=8))
def test_any_quotas_make_well_formed_fields(quotas: list[QuotaState]) -> None:
    policies, remaining = parsed(*quotas)
    names = [name for name, _ in policies]
    assert len(set(names)) == len(names) == len(quotas)
    assert [name for name, _ in remaining] == names
    assert all(isinstance(p["q"], int) for _, p in policies)
    assert all(isinstance(p["r"], int) for _, p in remaining)


def test_the_time_to_wait_is_told_alike_everywhere() -> None:
    assert reset_us(state(full_after_us=50)) == 50
    assert reset_us(state(full_after_us=50, retry_after_us=20, refused=True)) == 20


SMALL, LARGE = state(limit=10, remaining=2), state(limit=1000, remaining=100)
SHORT = state(refused=True, retry_after_us=SECOND_US)
LONG = state(refused=True, retry_after_us=9 * SECOND_US)
NEVER = state(refused=True)


@pytest.mark.parametrize(
    ("quotas", "shown"),
    [
        ([], None),
        ([state("tokens")], None),
        ([SMALL, LARGE], LARGE),
        ([LARGE, SMALL], LARGE),
        ([LARGE, SHORT], SHORT),
        ([SHORT, LONG, LARGE], LONG),
        ([LONG, NEVER], NEVER),
        ([state(limit=0, remaining=0), SMALL], state(limit=0, remaining=0)),
    ],
)
def test_one_limit_of_a_unit_is_shown(quotas: list[QuotaState], shown: QuotaState | None) -> None:
    assert scarcest(quotas, "requests") == shown
