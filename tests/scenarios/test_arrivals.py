import json
from itertools import pairwise

from gateway.policy.scenario import BEGINS_US, Scenario, read_scenarios
from gateway.scenarios.arrivals import Arrival, arrivals
from tests.scenarios.staging import written


def scenario(*entries: str, rest: str = "") -> Scenario:
    (located,) = read_scenarios("f", written(", ".join(entries), rest=rest))
    return located.scenario


def made(*entries: str, rest: str = "") -> list[Arrival]:
    return list(arrivals(scenario(*entries, rest=rest)))


def seconds(found: list[Arrival]) -> list[float]:
    return [(one.at_us - BEGINS_US) / 1_000_000 for one in found]


def test_even_arrivals_are_at_equal_distances_and_accounts_out_of_step() -> None:
    found = made("{accounts: 2, each: 2 requests/minute, for: 1 minute}")
    assert seconds(found) == [0, 15, 30, 45]
    assert [one.record.account for one in found] == [f"traffic-1-{n}" for n in (1, 2, 1, 2)]


def test_random_arrivals_are_as_many_inside_the_time_in_order_and_the_same_again() -> None:
    entry = "{accounts: 3, each: 100 requests/day, for: 2 days, arrivals: random}"
    found = made(entry)
    assert len(found) == 600
    assert all(one.at_us <= other.at_us for one, other in pairwise(found))
    assert all(0 <= second < 172_800 for second in seconds(found))
    assert found == made(entry)
    assert seconds(found) != seconds(made(entry, rest="seed: 2\n"))


def test_an_entry_may_begin_later_and_entries_are_merged_by_time() -> None:
    found = made(
        "{name: a, each: 1 request/minute, for: 2 minutes}",
        "{name: b, each: 1 request/minute, for: 1 minute, after: 30s}",
    )
    assert [one.record.account for one in found] == ["a-1", "b-1", "a-1"]
    assert seconds(found) == [0, 30, 60]


def test_accounts_share_what_they_are_said_to_share() -> None:
    entry = "accounts: 6, each: 1/day, for: 1 day"
    attributes = "attributes: {plan: free, age_days: 2, payment: one per 2 accounts, tags: [x]}"
    found = made(f"{{name: a, {entry}, {attributes}}}")
    payments = [one.record.attributes["payment"] for one in found]
    assert payments == [f"a-payment-{n}" for n in (1, 1, 2, 2, 3, 3)]
    first = found[0].record.attributes
    assert first["created_at"] == BEGINS_US // 1_000_000 - 2 * 86_400
    assert (first["plan"], first["tags"]) == ("free", ["x"])
    assert "age_days" not in first


def test_each_route_asks_in_its_own_form() -> None:
    asked = {}
    for route in ("chat", "completions", "responses", "messages", "embeddings"):
        entry = f"{{each: 1/day, for: 1 day, route: {route}, max_tokens: 9, prompt: p, model: m}}"
        (one,) = made(entry)
        asked[route] = one.record.path, json.loads(bytes(one.record.body))
    message = [{"role": "user", "content": "p"}]
    chat = {"model": "m", "max_tokens": 9, "messages": message}
    assert asked["chat"] == ("/v1/chat/completions", chat)
    assert asked["messages"] == ("/v1/messages", chat)
    assert asked["completions"][1] == {"model": "m", "max_tokens": 9, "prompt": "p"}
    assert asked["responses"][1] == {"model": "m", "max_output_tokens": 9, "input": "p"}
    assert asked["embeddings"][1] == {"model": "m", "input": "p"}


def test_what_else_stands_in_a_request_is_sent() -> None:
    (one,) = made("{each: 1/day, for: 1 day, stream: true, user_agent: curl/8, body: {n: 2}}")
    assert one.record.headers == {"user-agent": "curl/8"}
    body = json.loads(bytes(one.record.body))
    assert (body["stream"], body["n"]) == (True, 2)


def test_an_answer_never_exceeds_the_ceiling_that_was_declared() -> None:
    (one,) = made("{each: 1/day, for: 1 day, max_tokens: 9, output_tokens: 50, duration: 3s}")
    assert one.record.response.usage is not None
    assert one.record.response.usage.output_tokens == 9
    assert one.record.response.duration == 3


def sessions(entry: str) -> list[tuple[str, str | None]]:
    found = made(f"{{name: a, accounts: 2, each: 4/day, for: 1 day{entry}}}")
    return [(one.record.account, one.record.headers.get("x-session-id")) for one in found]


def test_requests_belong_to_the_sessions_that_they_are_said_to() -> None:
    assert sessions("") == [("a-1", None), ("a-2", None)] * 4
    assert sessions(", session: night") == [("a-1", "night"), ("a-2", "night")] * 4
    by_account = [("a-1", "a-1-session-1"), ("a-2", "a-2-session-1")]
    assert sessions(", session: one per account") == by_account * 4
    second = [("a-1", "a-1-session-2"), ("a-2", "a-2-session-2")]
    assert sessions(", session: one per 2 requests") == by_account * 2 + second * 2
    each = [session for _, session in sessions(", session: one per request")]
    assert len(set(each)) == 8
