"""What policies cost, as lines for people."""

from collections.abc import Iterator

from gateway.scenarios.cost import MEASURED_REQUESTS, Cost


def cost_lines(cost: Cost) -> Iterator[str]:
    yield "bytes in the store, at most                  in Redis   in memory   (every window full)"
    for kept in cost.kept:
        name = f"  for each {' and '.join(kept.per)}"
        sizes = f"{kept.redis_bytes:>14,}{kept.memory_bytes:>12,}"
        yield f"{name:<40}{sizes}   {', '.join(kept.quotas)}"
    keys = "1 key" if cost.partitions == 1 else f"up to {cost.partitions} keys"
    renewed = "; 1 more every few seconds while an answer lasts" if cost.holds_slots else ""
    yield "operations of the store"
    yield f"  2 for each request: 1 script of {keys} when it comes, 1 when its answer ends{renewed}"
    yield "time of this machine"
    yield (
        f"  about {cost.microseconds:,.0f} microseconds a request: reading it, its decision and "
        "its settlement"
    )
    yield (
        f"  ({MEASURED_REQUESTS:,} requests in this process, counted in memory; a Redis adds its "
        "round trips)"
    )
    if cost.conditions:
        each_time = cost.conditions_each_time
        remembered = cost.conditions - each_time
        yield (
            f"  conditions: {remembered} remembered for each combination of slow facts, "
            f"{each_time} evaluated for every request"
        )
