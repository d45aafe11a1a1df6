import pytest

from gateway.simulation.campaign import CHOICES, FAMILIES, SETTABLE, UnusableOrder, read_campaign


def test_a_family_stands_for_itself() -> None:
    assert read_campaign("fleet") == FAMILIES["fleet"].campaign


def test_words_and_values_change_a_family() -> None:
    made = read_campaign("fleet:rubric, accounts=40, cover=0.9, zipf, closed, name=mine")
    assert (made.style, made.accounts, made.cover, made.load) == ("rubric", 40, 0.9, "zipf")
    assert made.closed
    assert made.label == "campaign/mine"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("flet", 'Did you mean "fleet"'),
        ("fleet:framed", 'Did you mean "frame"'),
        ("fleet:acount=3", 'Did you mean "accounts"'),
        ("fleet:load=evn", 'Did you mean "even"'),
        ("fleet:accounts=many", "Write a whole number"),
        ("fleet:accounts=0", "The least is 1"),
        ("fleet:accounts=2.5", "Write a whole number"),
        ("fleet:cover=most", "Write a number"),
        ("fleet:cover=-1", "The least is 0"),
        ("fleet:cover=nan", "out of bounds"),
        ("fleet:shards=maybe", "Allowed: true, false"),
        ("fleet:family=card", "nothing that a campaign has"),
    ],
)
def test_what_cannot_be_understood_is_told_with_what_can(text: str, said: str) -> None:
    with pytest.raises(UnusableOrder) as caught:
        read_campaign(text)
    assert said in str(caught.value)


def test_every_choice_belongs_to_something_that_can_be_set() -> None:
    assert set(CHOICES) <= set(SETTABLE)
    for name, words in CHOICES.items():
        for family in FAMILIES.values():
            assert getattr(family.campaign, name) in words
