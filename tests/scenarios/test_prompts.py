import re

from gateway.scenarios.prompts import Prompts


def test_each_prompt_has_other_words_and_each_run_the_same() -> None:
    one, other = (Prompts("Say {word} {number}: {sentence}", "seed") for _ in range(2))
    first = [one.next() for _ in range(20)]
    assert first == [other.next() for _ in range(20)]
    assert len(set(first)) == 20
    assert all(re.fullmatch(r"Say [a-z]+ [0-9]+: [A-Z][a-z ]+\.", prompt) for prompt in first)


def test_another_seed_makes_other_prompts() -> None:
    assert Prompts("{sentence}", "a").next() != Prompts("{sentence}", "b").next()


def test_braces_that_mean_nothing_stay() -> None:
    assert Prompts('{"a": 1} {}', "seed").next() == '{"a": 1} {}'
