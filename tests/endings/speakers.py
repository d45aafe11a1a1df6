"""One question in each dialect, as plain HTTP: how it is asked, and how a stream of it begins."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MODEL = "demo-small"
SAID = "Say a few words"


@dataclass(frozen=True, slots=True)
class Speaker:
    name: str
    before_words: int
    """Events of a stream that come before the first word."""
    after_words: int
    """Events after the last word, up to the one that reports the usage; that one included."""
    error: bytes
    """What the dialect's error in a stream contains."""

    def path(self, *, stream: bool) -> str:
        if self.name == "openai":
            return "/v1/chat/completions"
        if self.name == "anthropic":
            return "/v1/messages"
        call = "streamGenerateContent?alt=sse" if stream else "generateContent"
        return f"/v1beta/models/{MODEL}:{call}"

    def headers(self, key: str) -> Mapping[str, str]:
        match self.name:
            case "openai":
                return {"authorization": f"Bearer {key}"}
            case "anthropic":
                return {"x-api-key": key, "anthropic-version": "2023-06-01"}
            case _:
                return {"x-goog-api-key": key}

    def body(self, *, stream: bool, ceiling: int | None, choices: int) -> dict[str, Any]:
        if self.name == "gemini":
            config = {"maxOutputTokens": ceiling, "candidateCount": choices}
            contents = [{"role": "user", "parts": [{"text": SAID}]}]
            return {"contents": contents, "generationConfig": config}
        messages = [{"role": "user", "content": SAID}]
        asked: dict[str, Any] = {"model": MODEL, "messages": messages, "stream": stream}
        if self.name == "anthropic":
            return {**asked, "max_tokens": ceiling}
        options = {"stream_options": {"include_usage": True}} if stream else {}
        return {**asked, "n": choices, "max_completion_tokens": ceiling, **options}


OPENAI = Speaker("openai", before_words=1, after_words=2, error=b'"error"')
ANTHROPIC = Speaker("anthropic", before_words=3, after_words=2, error=b"event: error")
GEMINI = Speaker("gemini", before_words=0, after_words=1, error=b'"error"')
SPEAKERS = (OPENAI, ANTHROPIC, GEMINI)
