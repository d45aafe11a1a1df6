"""Keys that nobody can forge."""

from fnmatch import fnmatchcase
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from gateway.decision.plan import Partition
from gateway.store.keys import account_pattern, holder_digest, meter_field, partition_key

PARTS = st.lists(st.tuples(st.text(max_size=3), st.text(max_size=5)), max_size=3)


def key(*parts: tuple[str, str]) -> str:
    return partition_key("gauger", Partition(parts))


@given(PARTS, PARTS)
def test_two_partitions_share_a_key_only_if_they_are_one(
    one: list[tuple[str, str]], other: list[tuple[str, str]]
) -> None:
    assert (key(*one) == key(*other)) == (one == other)


def test_no_value_imitates_another() -> None:
    """`limits` gives `a/b` + `c` and `a` + `b/c` one key."""
    partitions = [
        (("account.id", "a/b"), ("request.model", "c")),
        (("account.id", "a"), ("request.model", "b/c")),
        (("account.id", "a"), ("request.model", "b"), ("request.end_user", "c")),
        (("account.id", "arequest.modelb"), ("request.model", "c")),
        (("account.id", "a"), ("request.end_user", "b/c")),
        (("account.id", "a\0"), ("request.model", "b/c")),
        (("request.model", "b/c"), ("account.id", "a")),
        (("account.id", ""), ("request.model", "")),
        (("account.id", "\ud800"),),
        (("account.id", "\ufffd"),),
        (),
    ]
    assert all(key(*a) != key(*b) for a, b in combinations(partitions, 2))


def test_a_key_has_one_form_and_no_value_in_it() -> None:
    long = key(("account.id", "canary}{" * 10_000), ("request.model", "canary\r\n"))
    assert "canary" not in long
    assert long.isascii()
    assert (long.count("{"), long.count("}"), len(long)) == (1, 1, len(key(("account.id", "a"))))


def test_all_partitions_of_an_account_share_a_hash_tag() -> None:
    def tag(name: str) -> str:
        return name[name.index("{") : name.index("}")]

    account = ("account.id", "anna")
    tags = {tag(key(account)), tag(key(account, ("request.model", "small")))}
    assert tags == {tag(key(("client.address", "192.0.2.1"), account))}
    assert tag(key(("account.id", "bert"))) not in tags
    assert tag(key(("account.organization", "anna"))) not in tags


def test_prefixes_keep_deployments_apart() -> None:
    partition = Partition((("account.id", "anna"),))
    assert partition_key("one", partition) != partition_key("two", partition)


def test_meters_and_holders_are_short_and_told_apart() -> None:
    fields = {meter_field(f"quota-{i}/sliding/requests/60") for i in range(1000)}
    assert len(fields) == 1000
    assert {len(field) for field in fields} == {8}
    holders = {holder_digest(f"r{i}") for i in range(1000)}
    assert len(holders) == 1000
    assert {len(holder) for holder in holders} == {8}


def test_one_pattern_matches_all_of_an_account_s_partitions_and_no_others() -> None:
    pattern = account_pattern("p", "anna")
    own = Partition((("account.id", "anna"),))
    by_model = Partition((("request.model", "small"), ("account.id", "anna")))
    other = Partition((("account.id", "bert"),))
    matched = [fnmatchcase(partition_key("p", one), pattern) for one in (own, by_model, other)]
    assert matched == [True, True, False]
