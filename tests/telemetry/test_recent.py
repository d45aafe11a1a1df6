from gateway.telemetry.recent import RecentDecisions, row
from gateway.telemetry.summary import summarise
from tests.telemetry import exchanges


def kept(*ids: str, of: int = 200) -> RecentDecisions:
    recent = RecentDecisions(of)
    for request_id in ids:
        recent.add(summarise(exchanges.answered(request_id=request_id)))
    return recent


def test_a_row_says_who_what_and_how_much() -> None:
    assert row(summarise(exchanges.answered())) == {
        "request_id": "req_1",
        "at_us": exchanges.BEGAN_US + 2_000_000,
        "account": "acct_1",
        "route": "chat",
        "model": "small",
        "decision": "allow",
        "policy": "tokens-per-day",
        "reason": None,
        "why": None,
        "refusal": None,
        "reserved_tokens": 110,
        "settled_tokens": 46,
        "settlement": "reported",
        "status": 200,
        "ending": "completed",
        "upstream_fault": None,
        "duration_ms": 2000.0,
    }


def test_a_row_of_a_refusal_says_why() -> None:
    told = row(summarise(exchanges.refused()))
    assert told["policy"] == "requests-per-minute"
    assert told["why"] == "The why of requests-per-minute."
    assert (told["reason"], told["refusal"]) == ("quota_exceeded", "rate")
    assert told["settled_tokens"] is None


def test_a_row_of_a_failure_says_what_the_model_api_did() -> None:
    failed = exchanges.answered(upstream_error="protocol", upstream_fault="api:443 redirects.")
    assert row(summarise(failed))["upstream_fault"] == "api:443 redirects."


def test_a_row_without_an_account_has_none() -> None:
    assert row(summarise(exchanges.rejected()))["account"] is None


def test_the_newest_come_first_and_push_the_oldest_out() -> None:
    recent = kept("a", "b", "c", of=2)
    assert [told["request_id"] for told in recent.rows()] == ["c", "b"]
    assert [told["request_id"] for told in recent.rows(limit=1)] == ["c"]


def test_one_request_is_found_by_its_id() -> None:
    recent = kept("a", "b")
    assert [told["request_id"] for told in recent.rows(request_id="a")] == ["a"]
    assert recent.rows(request_id="nobody") == []


def test_the_exchanges_of_one_account_are_found() -> None:
    recent = kept("a")
    recent.add(summarise(exchanges.rejected(request_id="b")))
    assert [told["request_id"] for told in recent.rows(account="acct_1")] == ["a"]
