"""What gauger knows and cannot meter is refused by name, in the words of its dialect."""

import pytest

from gateway.errors import UnknownRoute
from gateway.facts.dialects.port import Headers
from gateway.facts.dialects.registry import BUILT_IN
from gateway.facts.dialects.unmetered import unmetered

ANTHROPIC: Headers = [(b"anthropic-version", b"2023-06-01")]
OPENAI: Headers = [(b"authorization", b"Bearer sk")]


@pytest.mark.parametrize(
    ("method", "path", "headers", "dialect", "prefix"),
    [
        ("POST", "/v1/batches", OPENAI, "openai", "/v1/batches"),
        ("GET", "/v1/batches/batch_1", OPENAI, "openai", "/v1/batches"),
        ("POST", "/v1/files", OPENAI, "openai", "/v1/files"),
        ("GET", "/v1/files/secret/content", ANTHROPIC, "anthropic", "/v1/files"),
        ("POST", "/v1/audio/transcriptions", OPENAI, "openai", "/v1/audio"),
        ("POST", "/v1/images/generations", OPENAI, "openai", "/v1/images"),
        ("GET", "/v1/realtime", OPENAI, "openai", "/v1/realtime"),
        ("POST", "/v1/fine_tuning/jobs", OPENAI, "openai", "/v1/fine_tuning"),
        ("POST", "/v1/assistants", OPENAI, "openai", "/v1/assistants"),
        ("POST", "/v1/threads/t/runs", OPENAI, "openai", "/v1/threads"),
        ("POST", "/v1/vector_stores", OPENAI, "openai", "/v1/vector_stores"),
        ("POST", "/v1/moderations", OPENAI, "openai", "/v1/moderations"),
        ("POST", "/v1/uploads", OPENAI, "openai", "/v1/uploads"),
        ("POST", "/v1/containers", OPENAI, "openai", "/v1/containers"),
        ("GET", "/v1/responses/resp_1", OPENAI, "openai", "/v1/responses"),
        ("DELETE", "/v1/responses/resp_1", OPENAI, "openai", "/v1/responses"),
        ("POST", "/v1/responses/resp_1/cancel", OPENAI, "openai", "/v1/responses"),
        ("GET", "/v1/chat/completions/c_1", OPENAI, "openai", "/v1/chat/completions"),
        ("POST", "/v1/messages/batches", OPENAI, "anthropic", "/v1/messages/batches"),
        ("GET", "/v1/messages/batches/secret", ANTHROPIC, "anthropic", "/v1/messages/batches"),
        ("POST", "/v1/messages/secret", ANTHROPIC, "anthropic", "/v1/messages"),
        ("POST", "/v1beta/models/m:batchGenerateContent", OPENAI, "gemini", "/v1beta"),
        ("POST", "/v1beta/cachedContents", OPENAI, "gemini", "/v1beta/cachedContents"),
        ("POST", "/upload/v1beta/files", OPENAI, "gemini", "/upload/v1beta"),
    ],
)
def test_a_known_endpoint_is_refused_by_name(
    method: str, path: str, headers: Headers, dialect: str, prefix: str
) -> None:
    with pytest.raises(UnknownRoute) as refused:
        BUILT_IN.find(method, path, headers)
    message = refused.value.message
    assert f"({prefix})" in message
    assert message.endswith(
        "not metered here, so they are not forwarded until the operator of this gateway "
        "declares the route."
    )
    assert "secret" not in message
    assert BUILT_IN.dialect_for(path, headers).name == dialect


@pytest.mark.parametrize(
    "path", ["", "/", "/v1", "/v1/batch", "/v1/batchesx", "/v1/Files", "v1/files", "//v1/files"]
)
def test_what_only_looks_like_one_is_unknown(path: str) -> None:
    assert unmetered(path) is None


def test_a_path_of_many_segments_costs_no_more_than_one_of_few() -> None:
    assert unmetered("/v1/files" + "/" * 1_000_000) is not None
