"""What may vary in a path is one word, and no word is a way to another path."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.facts.dialects.route_pattern import RoutePattern, named_model

GENERATE = RoutePattern("/v1beta/models/{model}:generateContent")
MODEL = RoutePattern("/v1/models/{model}")
CONTENT = RoutePattern("/v1/files/{file}/content")


@pytest.mark.parametrize(
    ("pattern", "path", "model"),
    [
        (GENERATE, "/v1beta/models/gemini-3:generateContent", "gemini-3"),
        (GENERATE, "/v1beta/models/g:generateContent", "g"),
        (MODEL, "/v1/models/ft:gpt-4.1:org::Ab_1@2", "ft:gpt-4.1:org::Ab_1@2"),
        (MODEL, "/v1/models/" + "m" * 256, "m" * 256),
        (CONTENT, "/v1/files/file-1/content", None),
    ],
)
def test_a_path_with_a_word_in_its_place_is_the_routes(
    pattern: RoutePattern, path: str, model: str | None
) -> None:
    found = pattern.match(path)
    assert found is not None
    assert named_model(found) == model


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        (GENERATE, "/v1beta/models/:generateContent"),
        (GENERATE, "/v1beta/models/a:b:generateContent"),
        (GENERATE, "/v1beta/models/a:generateContent:countTokens:generateContent"),
        (GENERATE, "/v1beta/models/a:generateContent\n"),
        (GENERATE, "/v1beta/models/a:generatecontent"),
        (GENERATE, "/v1beta/models/a/b:generateContent"),
        (GENERATE, "/v1beta/models/a%2Fb:generateContent"),
        (MODEL, "/v1/models/"),
        (MODEL, "/v1/models/.."),
        (MODEL, "/v1/models/.hidden"),
        (MODEL, "/v1/models/a/"),
        (MODEL, "/v1/models/a b"),
        (MODEL, "/v1/models/ä"),
        (MODEL, "/v1/models/" + "m" * 257),
        (MODEL, "/v1/modelsXa"),
        (CONTENT, "/v1/files/a/b/content"),
        (CONTENT, "/v1/files//content"),
    ],
)
def test_anything_else_is_another_path(pattern: RoutePattern, path: str) -> None:
    assert pattern.match(path) is None


def test_a_dot_of_the_written_path_is_a_dot() -> None:
    assert RoutePattern("/v1.5/{x}").match("/v1x5/a") is None


def test_a_path_without_a_place_does_not_vary() -> None:
    assert not RoutePattern("/v1/models").varies
    assert MODEL.varies


@given(st.text(max_size=40))
def test_what_matches_is_one_plain_segment(word: str) -> None:
    if MODEL.match("/v1/models/" + word):
        assert word.isascii()
        assert not set(word) & set("/%?#;\\ \r\n")
        assert word not in {".", ".."}
