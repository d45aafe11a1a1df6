"""What Gemini's answers tell, whole or as a stream.

A stream's chunks are answers themselves, and each may tell the usage so far: the counts are
cumulative and the last one wins. They are final once every candidate that was seen has finished, or
the prompt was blocked; there is no other last event. Until then the running count only serves the
case that nothing more comes. An error in mid-stream comes as an event, or as bare JSON between
events.

Protobuf leaves out a zero: where the candidates' tokens are missing, what the total leaves over
tells them. Thoughts stand beside the candidates, results of Google's own tools beside the prompt.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.facts.dialects.passing import Seen, inner, label, objects
from gateway.facts.dialects.prompt_size import text_bytes
from gateway.facts.estimate import BYTES_PER_TOKEN, IMAGE_TOKENS
from gateway.facts.event_stream import Event
from gateway.facts.json_text import dump
from gateway.facts.usage import Usage, has_absurd_count, token_count

_WRITTEN = ("text", "executableCode", "codeExecutionResult")


class AnswerReader:
    """Reads one answer, chunk by chunk, into `seen`."""

    def __init__(self) -> None:
        self.seen = Seen()
        self._counts = _Counts()
        self._finished: dict[int, bool] = {}
        """By the index of the candidate; the API has at most 8."""
        self._blocked = False

    def read(self, event: Event) -> bool:
        chunk = self.seen.object_in(event)
        if chunk is not None:
            self.take(chunk)
        return False

    def take(self, chunk: Mapping[str, Any], *, whole: bool = False) -> None:
        """`whole`: it is no chunk, and nothing follows."""
        seen = self.seen
        if chunk.get("error"):
            seen.failed, seen.complete = True, whole
            return
        seen.model = label(chunk.get("modelVersion")) or seen.model
        seen.response_id = label(chunk.get("responseId")) or seen.response_id
        if reason := label(inner(chunk, "promptFeedback").get("blockReason")):
            seen.note_finish(0, reason)
            self._blocked = True
        for place, candidate in enumerate(objects(chunk.get("candidates"))):
            self._take_candidate(place, candidate)
        all_finished = bool(self._finished) and all(self._finished.values())
        seen.complete = whole or self._blocked or all_finished
        self._counts.take(inner(chunk, "usageMetadata"))
        seen.usage = self._counts.usage(final=seen.complete)
        seen.counted_tokens = self._counts.written or 0

    def _take_candidate(self, place: int, candidate: Mapping[str, Any]) -> None:
        index = candidate.get("index")  # 0 is left out
        index = index if isinstance(index, int) else place
        reason = candidate.get("finishReason")
        self.seen.note_finish(index, reason)
        self._finished[index] = bool(label(reason)) or self._finished.get(index, False)
        for part in objects(inner(candidate, "content").get("parts")):
            self.seen.text_bytes += _written_bytes(part)


@dataclass(slots=True)
class _Counts:
    """The counts as this dialect has them, each the last that was told."""

    prompt: int | None = None
    tool_results: int | None = None
    cached: int | None = None
    candidates: int | None = None
    thoughts: int | None = None
    written: int | None = None
    """Candidates and thoughts."""
    absurd: bool = False

    def take(self, told: Mapping[str, Any]) -> None:
        self.absurd = self.absurd or has_absurd_count(told)
        self.prompt = _told(told, "promptTokenCount", self.prompt)
        self.tool_results = _told(told, "toolUsePromptTokenCount", self.tool_results)
        self.cached = _told(told, "cachedContentTokenCount", self.cached)
        self.candidates = _told(told, "candidatesTokenCount", self.candidates)
        self.thoughts = _told(told, "thoughtsTokenCount", self.thoughts)
        if self.candidates is not None:
            self.written = self.candidates + (self.thoughts or 0)
        elif self.prompt is not None:
            total = token_count(told.get("totalTokenCount"))
            if total is not None:
                self.written = token_count(total - self.prompt - (self.tool_results or 0))

    def usage(self, *, final: bool) -> Usage:
        read = None if self.prompt is None else self.prompt + (self.tool_results or 0)
        if not final:
            return Usage(input_tokens=read, cached_tokens=self.cached, absurd=self.absurd)
        return Usage(
            input_tokens=read,
            output_tokens=self.written,
            cached_tokens=self.cached,
            reasoning_tokens=self.thoughts,
            absurd=self.absurd,
        )


def _told(told: Mapping[str, Any], name: str, before: int | None) -> int | None:
    count = token_count(told.get(name))
    return before if count is None else count


def _written_bytes(part: Mapping[str, Any]) -> int:
    written = sum(text_bytes(part.get(name)) for name in _WRITTEN)
    if call := inner(part, "functionCall"):
        written += text_bytes(call.get("name")) + len(dump(call.get("args", "")))
    if str(inner(part, "inlineData").get("mimeType")).startswith("image/"):
        written += IMAGE_TOKENS * BYTES_PER_TOKEN  # in base64 it has a hundred times that
    return written
