from itertools import pairwise

import pytest

from gateway.simulation.corpora import UnusableCorpora
from gateway.simulation.writing import line
from tests.simulation import making


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, second = (
        [line(one) for one in making.records("all:0.01", campaigns=("fleet:accounts=5,begin=1",))]
        for _ in range(2)
    )
    assert first == second
    other = making.records("all:0.01", campaigns=("fleet:accounts=5,begin=1",), seed=2)
    assert first != [line(one) for one in other]


def test_time_never_runs_backwards() -> None:
    times = [one.at for one in making.records("all:0.02", campaigns=("card:begin=1",))]
    assert all(before <= after for before, after in pairwise(times))
    assert len(times) > 1_000


def test_a_campaign_that_is_added_changes_no_honest_request() -> None:
    alone = making.records("all:0.01")
    beside = making.records("all:0.01", campaigns=("unshared:begin=0",))
    honest = [one for one in beside if one.label is not None and one.label.startswith("benign/")]
    assert [(one.at, bytes(one.body)) for one in honest] == [
        (one.at, bytes(one.body)) for one in alone
    ]


def test_accounts_ids_tell_nothing_of_their_side() -> None:
    made = making.records("chat:20", campaigns=("fleet:accounts=20,begin=0",))
    assert {one.account.partition("_")[0] for one in made} == {"acct"}
    by_account = {one.account: one.label for one in made}
    assert len(by_account) > 20


def test_every_client_occurs_on_both_sides() -> None:
    made = making.records("batch:400,rate=0.1", campaigns=("drip:accounts=400,begin=0",))
    sides: dict[str, set[str]] = {}
    for one in made:
        side = str(one.label).partition("/")[0]
        sides.setdefault(side, set()).add(one.headers["user-agent"])
    assert sides["benign"] == sides["campaign"]


def test_attributes_can_be_left_out_on_both_sides() -> None:
    made = making.records(
        "chat:200",
        campaigns=("card:accounts=200,per_card=5,begin=0",),
        without={"payment": 1.0, "network": 0.5},
    )
    assert not [one for one in made if "payment" in one.attributes]
    for side in ("benign", "campaign"):
        known = {
            one.account: "network" in one.attributes
            for one in made
            if str(one.label).startswith(side)
        }
        assert 0.3 < sum(known.values()) / len(known) < 0.7


def test_after_a_launch_honest_accounts_ask_the_new_model() -> None:
    made = making.records("chat:200", launch_day=1.0, days=4.0)
    begins_s = made[0].at - made[0].at % 86_400
    new = [one.at for one in made if making.model(one) in ("frontier-6", "opera-5")]
    assert new
    assert min(new) >= begins_s + 86_400
    assert len(new) < len(made) / 2


def test_a_contained_account_of_a_closed_loop_is_replaced_within_the_hour() -> None:
    simulation = making.simulation(campaigns=("replacement:accounts=4,begin=0",))
    seen: dict[str, float] = {}
    contained_at: dict[str, float] = {}
    for record in simulation:
        assert record.account not in contained_at, "a contained account is given up"
        if record.account not in seen:
            seen[record.account] = record.at
            if len(seen) <= 4:
                continue
            assert str(record.label).startswith("campaign/replacement/wave-")
        if len(contained_at) < 8:
            simulation.told(record, contained=True)
            contained_at[record.account] = record.at
        else:
            simulation.told(record, contained=False)
    assert len(seen) == 12
    gaps = sorted(seen.values())[4:]
    assert min(gaps) > min(contained_at.values())


def test_waves_of_an_open_loop_follow_each_other() -> None:
    made = making.campaign("waves:accounts=6,per_card=3,waves=3,wave_hours=24")
    by_label: dict[str, list[float]] = {}
    for one in made:
        by_label.setdefault(str(one.label), []).append(one.at)
    assert list(by_label) == [
        "campaign/waves",
        "campaign/waves/wave-2",
        "campaign/waves/wave-3",
    ]
    spans = [(min(times), max(times)) for times in by_label.values()]
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    cards = {
        label: {one.attributes["payment"] for one in made if one.label == label}
        for label in by_label
    }
    assert len(set.union(*cards.values())) == 6


def test_whoever_copies_honest_accounts_sends_what_they_sent() -> None:
    made = making.records(
        "app:100", campaigns=("framing:victim=app,victims=30,accounts=10,begin=1",)
    )
    victims = [one for one in made if one.label == "benign/app/victim"]
    copies = [
        one for one in made if one.label == "campaign/framing" and "messages" in making.body(one)
    ]
    assert victims
    assert copies
    original = {making.said(one) for one in victims}
    assert {making.said(one) for one in copies} <= original


def test_whoever_sits_beside_honest_accounts_has_their_addresses() -> None:
    made = making.records("chat:60", campaigns=("beside:victims=5,accounts=10,begin=0",))
    copies = {one.attributes["address"] for one in made if str(one.label).startswith("campaign")}
    assert 1 <= len(copies) <= 5


def test_a_source_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(UnusableCorpora, match="Allowed: code, maths, instructions"):
        making.simulation(campaigns=("fleet:source=poems",))
