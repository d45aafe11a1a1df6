"""Text is counted wherever it stands in a part; images and files are not mistaken for text."""

import base64
from typing import Any

import pytest

from gateway.errors import MalformedRequest
from gateway.facts.dialects.gemini_prompt import Prompt
from gateway.facts.estimate import FILE_TOKENS, IMAGE_TOKENS

FOUR_TOKENS = "sixteen letters."
PIXELS = base64.b64encode(bytes(60_000)).decode()
HELLO = {"text": FOUR_TOKENS}


def prompt(*parts: Any, **fields: Any) -> Prompt:
    read = Prompt()
    read.take({"contents": [{"role": "user", "parts": list(parts)}], **fields})
    return read


def test_a_content_is_its_text_and_four_tokens_around_it() -> None:
    assert prompt(HELLO).tokens == 4 + 4
    assert prompt(HELLO, HELLO).tokens == 8 + 4
    assert prompt(HELLO, systemInstruction={"parts": HELLO}).tokens == 8 + 8


def test_text_is_counted_in_bytes_not_in_characters() -> None:
    assert prompt({"text": "日本語"}).text_bytes == 9


@pytest.mark.parametrize(
    ("part", "text_bytes"),
    [
        ({"text": FOUR_TOKENS, "thought": True, "thoughtSignature": PIXELS}, 16),
        ({"text": FOUR_TOKENS, "thought_signature": PIXELS}, 16),
        ({"functionCall": {"name": "f", "args": {"a": 1}}}, 27),
        ({"function_call": {"name": "f", "args": {"a": 1}}}, 27),
        ({"functionResponse": {"id": PIXELS, "name": "f", "response": {"a": 1}}}, 31),
        ({"executableCode": {"code": "1+1"}}, 14),
        ({"somethingNew": [FOUR_TOKENS]}, 20),
        ({"inlineData": {"mimeType": "text/plain", "data": PIXELS}}, 60_000),
        ({}, 0),
    ],
)
def test_text_is_found_in_every_kind_of_part(part: dict[str, Any], text_bytes: int) -> None:
    assert prompt(part).text_bytes == text_bytes


@pytest.mark.parametrize(
    ("part", "images", "flat"),
    [
        ({"inlineData": {"mimeType": "image/png", "data": PIXELS}}, 1, IMAGE_TOKENS),
        ({"inline_data": {"mime_type": "IMAGE/PNG", "data": PIXELS}}, 1, IMAGE_TOKENS),
        ({"fileData": {"mimeType": "image/jpeg", "fileUri": "files/a"}}, 1, IMAGE_TOKENS),
        ({"inlineData": {"mimeType": "application/pdf", "data": PIXELS}}, 0, FILE_TOKENS),
        ({"fileData": {"fileUri": "files/a"}}, 0, FILE_TOKENS),
        ({"fileData": {"mimeType": "text/plain", "fileUri": "files/a"}}, 0, FILE_TOKENS),
        (
            {"functionResponse": {"parts": [{"inlineData": {"mimeType": "image/png"}}]}},
            1,
            IMAGE_TOKENS,
        ),
    ],
)
def test_an_image_or_a_file_has_a_flat_figure(part: dict[str, Any], images: int, flat: int) -> None:
    read = prompt(part)
    assert (read.images, read.flat_tokens) == (images, flat)
    assert read.text_bytes < 10


def test_keys_of_a_part_do_not_hide_text_that_stands_in_arguments() -> None:
    said = {"inlineData": {"mimeType": "image/png", "data": FOUR_TOKENS * 100}}
    assert prompt({"functionCall": {"name": "f", "args": said}}).text_bytes > 1_600


def test_tools_are_counted_and_their_schema_is_read() -> None:
    tools = [
        {"functionDeclarations": [{"name": "a"}, {"name": "b"}]},
        {"function_declarations": {"name": "c"}, "googleSearch": {}},
    ]
    read = prompt(HELLO, tools=tools)
    assert read.tools == 4
    assert read.text_bytes > 16 + 60


def test_what_the_user_said_is_a_turn_and_what_a_tool_said_is_none() -> None:
    read = Prompt()
    read.take(
        {
            "contents": [
                {"parts": HELLO},
                {"role": "model", "parts": [{"functionCall": {"name": "f"}}]},
                {"role": "user", "parts": [{"functionResponse": {"name": "f"}}]},
                {"role": "model", "parts": [HELLO]},
                {"role": "user", "parts": [HELLO]},
            ],
            "systemInstruction": {"role": "user", "parts": [HELLO]},
        }
    )
    assert (read.turns, read.tool_results, read.contents) == (2, 1, 6)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"contents": None}, "contents"),
        ({"contents": "secret"}, "contents"),
        ({"contents": ["secret"]}, "contents[0]"),
        ({"contents": [{"parts": "secret"}]}, "contents[0].parts"),
        ({"contents": [{"role": 7}]}, "contents[0].role"),
        ({"contents": [{"parts": [{}, {"text": 7}]}]}, "contents[0].parts[1].text"),
        ({"contents": {"parts": {"inlineData": 7}}}, "contents.parts.inlineData"),
        (
            {"contents": {"parts": {"inlineData": {"mimeType": 7}}}},
            "contents.parts.inlineData.mimeType",
        ),
        (
            {"contents": {"parts": {"functionResponse": 7}}},
            "contents.parts.functionResponse",
        ),
        ({"systemInstruction": "secret"}, "systemInstruction"),
        ({"tools": "secret"}, "tools"),
        ({"tools": [{"functionDeclarations": [7]}]}, "tools[0].functionDeclarations[0]"),
        (
            {"contents": [{"parts": [{"fileData": {}, "file_data": {}}]}]},
            "contents[0].parts[0].fileData",
        ),
    ],
)
def test_a_wrong_field_is_refused_by_its_place(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(MalformedRequest) as refused:
        prompt(HELLO, **fields)
    assert refused.value.field == field
    assert refused.value.message.startswith(f'"{field}" is ')
    assert "secret" not in refused.value.message
