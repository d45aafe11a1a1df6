import io
import json

from gateway.policy.quota import Mode
from gateway.replay.decisions import DecisionWriter
from tests.parts.values import limit, policies, quota
from tests.replay.passing import passed
from tests.replay.traffic_files import START_S, record


async def test_one_record_for_every_exchange_in_the_order_of_the_traffic() -> None:
    rules = policies(
        quota(limit(1, quota_id="one")), quota(limit(1, quota_id="watched"), mode=Mode.SHADOW)
    )
    written = io.BytesIO()
    records = [
        record(0, label="benign/chat"),
        record(1, "acct_2"),
        record(2, label="benign/chat"),
        record(3, path="/nowhere"),
    ]
    await passed(records, rules, [DecisionWriter(written).write])
    told = [json.loads(line) for line in written.getvalue().splitlines()]
    assert told[0] == {
        "at": START_S,
        "account": "acct_1",
        "decision": "allow",
        "status": 200,
        "response": "none",
        "score": 0.0,
        "reasons": [],
        "label": "benign/chat",
    }
    assert "label" not in told[1]
    assert (told[2]["decision"], told[2]["status"]) == ("refuse", 429)
    assert told[2]["reasons"] == ["one", "watched"]
    assert (told[3]["decision"], told[3]["status"]) == ("refuse", 404)
    assert told[3]["reasons"] == ["unknown_route"]


async def test_a_policy_in_shadow_mode_is_named_and_refuses_nothing() -> None:
    rules = policies(quota(limit(1, quota_id="watched"), mode=Mode.SHADOW))
    written = io.BytesIO()
    await passed([record(0), record(1)], rules, [DecisionWriter(written).write])
    told = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [(one["decision"], one["reasons"]) for one in told] == [
        ("allow", []),
        ("allow", ["watched"]),
    ]


async def test_a_warning_that_a_limit_is_near_is_no_reason() -> None:
    rules = policies(quota(limit(2, quota_id="two"), warn_at_percent=50))
    written = io.BytesIO()
    await passed([record(0)], rules, [DecisionWriter(written).write])
    assert json.loads(written.getvalue())["reasons"] == []
