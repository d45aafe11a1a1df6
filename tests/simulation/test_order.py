import pytest

from gateway.simulation.campaign import UnusableOrder
from gateway.simulation.order import read_order, read_populations, read_without, standard
from gateway.simulation.populations import KINDS
from gateway.simulation.world import ATTRIBUTES
from gateway.source.problems import Problems


def test_all_is_every_population_but_the_twins_of_fleets() -> None:
    names = {one.kind for one in read_populations("all")}
    assert names == set(KINDS) - {"laboratory"}
    tenth = read_populations("all:0.1")
    assert sum(one.accounts for one in tenth) == pytest.approx(
        sum(one.accounts for one in standard()) / 10, rel=0.02
    )


def test_a_population_has_a_size_a_rate_and_a_beginning() -> None:
    (made,) = read_populations("class:50, rate=2, begin=3.5")
    assert (made.kind, made.accounts, made.rate, made.begin) == ("class", 50, 2.0, 3.5)
    (usual,) = read_populations("chat")
    assert usual.accounts == KINDS["chat"].accounts


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("chad", 'Did you mean "chat"'),
        ("chat:many", "Write a number"),
        ("chat:0", "a whole number from 1"),
        ("chat:1.5", "a whole number from 1"),
        ("chat:5,rat=2", 'Did you mean "rate"'),
    ],
)
def test_a_wrong_population_is_told(text: str, said: str) -> None:
    with pytest.raises(UnusableOrder) as caught:
        read_populations(text)
    assert said in str(caught.value)


def test_attributes_are_left_out_for_a_share_or_for_all() -> None:
    assert read_without("payment:0.5") == {"payment": 0.5}
    assert read_without("payment") == {"payment": 1.0}
    assert read_without("all:0.25") == dict.fromkeys(ATTRIBUTES, 0.25)
    with pytest.raises(UnusableOrder, match="from 0 to 1"):
        read_without("payment:5")
    with pytest.raises(UnusableOrder, match="Did you mean"):
        read_without("paymnt")


def test_a_file_says_the_same_as_the_command_line() -> None:
    made = read_order(
        "o.yaml",
        "days: 2\nseed: 5\npopulations: {chat: 20, batch: {accounts: 3, rate: 2}}\n"
        "campaigns: [{family: fleet, style: rubric, accounts: 4, shards: true}]\n"
        "without: {payment: 0.5}\nlaunch_day: 1\n",
    )
    assert (made.days, made.seed, made.launch_day) == (2, 5, 1)
    assert [(one.kind, one.accounts, one.rate) for one in made.populations] == [
        ("chat", 20, 1.0),
        ("batch", 3, 2.0),
    ]
    assert (made.campaigns[0].style, made.campaigns[0].shards) == ("rubric", True)
    assert made.without == {"payment": 0.5}


def test_all_mistakes_of_a_file_are_told_at_once_with_their_places() -> None:
    text = (
        "populations: {chat: 5, bach: 2}\ncampaigns:\n  - {family: flet}\n"
        "  - {accounts: none}\nwithout: {paymnt: 1}\n"
    )
    with pytest.raises(Problems) as caught:
        read_order("o.yaml", text)
    assert [problem.line for problem in caught.value.problems] == [1, 3, 4, 5]


def test_an_unknown_key_of_a_file_is_told() -> None:
    with pytest.raises(Problems) as caught:
        read_order("o.yaml", "population: {chat: 5}\n")
    assert 'Did you mean "populations"' in str(caught.value.problems[0].message)
