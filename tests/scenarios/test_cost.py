from gateway.policy.parse import load
from gateway.scenarios.cost import cost

POLICIES = """\
quotas:
  - {id: a, why: w, limit: 5/minute}
  - {id: b, why: w, limit: 5k tokens/day, per: [model, account], when: request.n > 1}
  - {id: c, why: w, limit: 5 concurrent, per: [account, model], when: request.stream}
  - {id: d, why: w, limit: 5/day, per: route, when: request.stream, window: calendar}
"""


async def test_what_is_kept_is_told_for_each_combination_of_facts() -> None:
    found = await cost(load({"a.yaml": POLICIES}))
    assert [(kept.per, kept.quotas) for kept in found.kept] == [
        (("account",), ("a",)),
        (("account", "model"), ("b", "c")),
        (("route",), ("d",)),
    ]
    assert found.partitions == 3
    assert (found.conditions, found.conditions_each_time) == (2, 1)
    assert found.holds_slots
    assert found.microseconds > 0


async def test_the_plan_with_the_most_counts() -> None:
    one = "quotas: [{id: a, why: w, limit: 8 concurrent%s}]"
    plain = await cost(load({"a.yaml": one % ""}))
    scaled = await cost(load({"a.yaml": one % ", scale: {pro: 10}"}))
    assert scaled.kept[0].redis_bytes > 4 * plain.kept[0].redis_bytes
    assert plain.conditions == 0
