import random

from gateway.simulation.texts import Deck, Texts, Topics, distinct

ITEMS = [
    f"Please explain the {word} that Anna bought in {1_900 + at} for the {other} near the river."
    for at, (word, other) in enumerate(
        (a, b)
        for a in ("kettle", "piano", "ladder", "violin")
        for b in ("garden", "harbour", "school")
    )
]


def test_a_deck_gives_each_text_once_and_then_goes_on() -> None:
    deck = Deck(Texts("t", ITEMS), random.Random(1))
    first = [deck.next() for _ in ITEMS]
    assert sorted(first) == sorted(ITEMS)
    further = [deck.next() for _ in range(100)]
    assert len(set(further) - set(ITEMS)) > 95


def test_a_variation_has_other_words_at_both_ends() -> None:
    texts, draw = (
        Texts("t", ["Beginning words stand here. " * 20 + "Ending words stand there."]),
        random.Random(1),
    )
    varied = {texts.vary(texts.items[0], draw) for _ in range(200)}
    assert len({one[:60] for one in varied}) > 5
    assert len({one[-60:] for one in varied}) > 5


def test_numbers_keep_their_size() -> None:
    texts, draw = Texts("t", ["in 1984 there were 7 of 250"]), random.Random(1)
    for _ in range(50):
        numbers = [word for word in texts.vary(texts.items[0], draw).split() if word.isdigit()]
        assert [len(number) for number in numbers] == [4, 1, 3]


def test_chinese_is_varied_too() -> None:
    texts, draw = (
        Texts("t", ["请帮我写一封关于花园的邮件谢谢", "为什么房租总是比面团贵很多很多"]),
        random.Random(1),
    )
    assert len({texts.vary(texts.items[0], draw) for _ in range(30)}) > 3


def test_hardly_any_two_openings_begin_alike() -> None:
    topics, draw = Topics(Texts("t", ITEMS * 1)), random.Random(1)
    topic = topics.any(draw)
    assert len({topic.opening(draw) for _ in range(50)}) > 40


def test_blanks_and_repetitions_are_no_texts() -> None:
    assert distinct(["a", " a ", "", "b"]) == ["a", "b"]
