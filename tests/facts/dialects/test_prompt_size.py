"""Text is counted wherever it stands; images and files are not mistaken for text.

The checklist's row "media estimates" (field.md, 5).
"""

import base64
from typing import Any

import pytest

from gateway.facts.dialects.prompt_size import measured, text_bytes
from gateway.facts.estimate import FILE_TOKENS, IMAGE_TOKENS
from gateway.facts.json_text import dump

FOUR_TOKENS = "sixteen letters."
PIXELS = base64.b64encode(bytes(60_000)).decode()


def tokens(body: dict[str, Any], messages: list[Any], *fields: str) -> int:
    return measured(body, messages, *fields).tokens


def estimate(*content: Any, **body: Any) -> int:
    messages = [{"role": "user", "content": list(content)}]
    return tokens({"messages": messages, **body}, messages)


def test_a_message_is_its_text_and_four_tokens_around_it() -> None:
    messages = [{"role": "user", "content": FOUR_TOKENS}] * 3
    assert tokens({}, messages) == 3 * (4 + 4)


def test_text_is_counted_in_bytes_not_in_characters() -> None:
    assert text_bytes("日本語") == 9
    assert text_bytes(["ab", {"text": "ä"}, None, 7]) == 4


@pytest.mark.parametrize(
    "part",
    [
        {"type": "text", "text": FOUR_TOKENS},
        {"type": "thinking", "thinking": FOUR_TOKENS, "signature": PIXELS},
        {"type": "tool_result", "tool_use_id": "id", "content": FOUR_TOKENS},
        {"type": "tool_result", "content": [{"type": "text", "text": FOUR_TOKENS}]},
        {"type": "tool_use", "id": "id", "name": "four", "input": {"path": FOUR_TOKENS[4:]}},
        {"type": "document", "source": {"type": "text", "data": FOUR_TOKENS}},
        {"type": "of a server's own", "words": [[FOUR_TOKENS]]},
        {"type": ["no", "kind"], "text": FOUR_TOKENS},
    ],
)
def test_text_is_found_in_every_kind_of_part(part: dict[str, Any]) -> None:
    assert estimate(part) == 4 + 4


@pytest.mark.parametrize(
    ("part", "tokens"),
    [
        ({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXELS}"}}, "image"),
        ({"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}, "image"),
        ({"type": "image", "source": {"type": "base64", "data": PIXELS}}, "image"),
        ({"type": "tool_result", "content": [{"type": "image", "source": {}}]}, "image"),
        ({"type": "input_audio", "input_audio": {"data": PIXELS, "format": "wav"}}, "file"),
        ({"type": "file", "file": {"file_data": PIXELS}}, "file"),
        ({"type": "document", "source": {"type": "base64", "data": PIXELS}}, "file"),
        ({"type": "document", "source": {"type": "url", "url": "https://example.org"}}, "file"),
    ],
)
def test_an_image_or_a_file_has_a_flat_figure(part: dict[str, Any], tokens: str) -> None:
    flat = {"image": IMAGE_TOKENS, "file": FILE_TOKENS}[tokens]
    assert estimate(part) == flat + 4
    assert estimate(part, part) == 2 * flat + 4


def test_system_and_tools_are_read_by_the_model_too() -> None:
    alone = tokens({}, [])
    assert alone == 0
    assert tokens({"system": FOUR_TOKENS}, [], "system") == 4 + 4
    parts = [{"type": "text", "text": FOUR_TOKENS}]
    assert tokens({"system": parts}, [], "system") == 4 + 4
    tools = [{"name": "t", "input_schema": {"type": "object"}}]
    assert tokens({"tools": tools}, []) == -(-len(b'[{"name":"t","input_schema":') // 4) + 5


@pytest.mark.parametrize("odd", [7, None, True, "text", [], {}, [[[]]], {"type": None}])
def test_an_odd_message_is_measured_and_left_to_the_model_to_refuse(odd: object) -> None:
    assert tokens({"tools": odd, "system": odd}, [odd], "system") >= 4


def test_images_are_counted_wherever_they_stand() -> None:
    image = {"type": "image", "source": {}}
    talk = [{"content": [image, {"type": "tool_result", "content": [image, {"type": "file"}]}]}]
    assert measured({}, talk).images == 2
    screen = {"type": "computer_call_output", "output": {"type": "computer_screenshot"}}
    assert measured({}, [screen, {"type": "input_image"}]).images == 2


@pytest.mark.parametrize("field", ["tools", "functions", "response_format", "text"])
def test_a_schema_is_shown_to_the_model_as_it_stands(field: str) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    assert tokens({field: schema}, []) == -(-len(dump(schema)) // 4)


def test_what_is_encrypted_is_no_text() -> None:
    assert tokens({}, [{"type": "reasoning", "encrypted_content": PIXELS}]) == 4


def test_depth_is_no_danger() -> None:
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    assert text_bytes(deep) == 1
    while isinstance(deep, list):  # a collector of garbage may recurse, too
        deep = deep[0]
