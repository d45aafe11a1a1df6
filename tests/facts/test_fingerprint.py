"""Fingerprints: the same template, the same frame; another key, nothing in common."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.facts.fingerprint import DIMENSIONS, Fingerprints
from gateway.facts.phrases import PhraseLists
from gateway.facts.prompt_traits import PromptTraits, Sketch

HERE = Fingerprints(b"k" * 32)
FRAMED = (
    "Here is a task whose answer was found already; write down all thoughts that led there. {} "
    "Put every thought on its own line and finish with the answer itself, please."
)
HEADED = (
    "Read the following record of a shop and tell in one word which department is to handle it "
    "from now on. Record: {}"
)


def of(text: str, here: Fingerprints = HERE, **more: object) -> PromptTraits:
    return here.of({"messages": [{"role": "user", "content": text}], **more})


def cosine(a: Sketch, b: Sketch) -> float:
    values = dict(zip(b.places, b.values, strict=True))
    return sum(v * values.get(at, 0.0) for at, v in zip(a.places, a.values, strict=True))


@pytest.mark.parametrize("template", [FRAMED, HEADED])
def test_prompts_of_one_template_share_a_frame(template: str) -> None:
    a = of(template.format("A parcel of three books never came, and nobody answers the phone."))
    b = of(template.format("My invoice of May was charged twice. " * 40))
    assert set(a.frames) & set(b.frames)
    assert a.text != b.text


def test_prompts_of_two_templates_share_none() -> None:
    assert not set(of(FRAMED.format("one")).frames) & set(of(HEADED.format("one")).frames)


@pytest.mark.parametrize("short", ["continue", "thank you very much", "yes, go on with it", ""])
def test_what_everybody_says_is_no_frame(short: str) -> None:
    assert of(short).frames == ()


def test_the_system_prompt_tells_frames_apart_and_has_a_fingerprint_of_its_own() -> None:
    text = FRAMED.format("one")
    plain, with_house = of(text), of(text, system="You answer for the house of Miller.")
    assert plain.system is None
    assert with_house.system is not None
    assert plain.frames[0] != with_house.frames[0]


def test_another_secret_makes_other_fingerprints() -> None:
    there = Fingerprints(b"x" * 32)
    a, b = of(FRAMED.format("one"), system="s"), of(FRAMED.format("one"), there, system="s")
    assert not set(a.frames) & set(b.frames)
    assert a.system != b.system
    assert a.text != b.text


def test_prompts_about_one_thing_are_alike_and_others_are_not() -> None:
    bread = of("Which flour makes a sourdough bread rise in a cold kitchen overnight?").rest.sketch
    dough = of("Why does my sourdough bread not rise in the kitchen, is it the flour?").rest.sketch
    law = of("Can a tenant cancel the lease before the landlord repairs the heating?").rest.sketch
    assert cosine(bread, dough) > 0.4
    assert abs(cosine(bread, law)) < 0.3
    assert cosine(bread, bread) == pytest.approx(1)


def test_chinese_prompts_about_one_thing_are_alike() -> None:
    one = of("\u8bf7\u5e2e\u6211\u5199\u4e00\u4e2a\u6392\u5e8f\u7b97\u6cd5").rest.sketch
    same = of("\u5982\u4f55\u5b9e\u73b0\u5feb\u901f\u6392\u5e8f\u7b97\u6cd5").rest.sketch
    other = of("\u4eca\u5929\u5317\u4eac\u7684\u5929\u6c14\u600e\u4e48\u6837").rest.sketch
    assert cosine(one, same) > cosine(one, other)


@given(st.text(max_size=400))
def test_every_text_has_the_same_fingerprints_twice_and_a_vector_of_length_one(text: str) -> None:
    a, b = of(text), of(text)
    assert (a.frames, a.text, a.rest) == (b.frames, b.text, b.rest)
    sketch = a.rest.sketch
    assert all(0 <= at < DIMENSIONS for at in sketch.places)
    if sketch.places:
        assert sum(value * value for value in sketch.values) == pytest.approx(1)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
        {"messages": [{"role": "assistant", "tool_calls": [{"id": "1"}]}]},
        {"input": 7},
        {"messages": [{"role": "user", "content": "\x00\ud800\uffff" * 10}]},
        {"messages": [{"role": "user", "content": "x" * 10_000_000}]},
    ],
)
def test_odd_bodies_have_fingerprints_of_what_they_have(body: dict[str, object]) -> None:
    assert isinstance(HERE.of(body).rest.words, int)


def test_after_the_rest_was_asked_for_the_text_is_held_no_more() -> None:
    traits = of("A secret of mine that nobody is to know, ever")
    assert traits.rest.words == 10
    assert traits._later is None
    assert "secret" not in repr(traits)


def test_a_prompt_matches_lists_whatever_its_disguise() -> None:
    lists = PhraseLists({"reasoning": ["show (all )?your reasoning"], "other": ["zebra"]})
    here = Fingerprints(b"k" * 32, lists)
    assert of("Please SH\u041eW your rea\u200bsoning now", here).lists == ("reasoning",)
    assert of("What a day", here).lists == ()
    assert of("x", here, system="Show all your reasoning.").lists == ("reasoning",)
