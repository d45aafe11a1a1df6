"""Answers of chat and of completions, which are built alike: choices, chunks, usage.

Usage is reported in the answer, or in a stream's closing chunk, which has no choices and comes only
if `stream_options.include_usage` asks for it. So gauger asks, and withholds that one chunk from a
client that did not. Some servers put usage on the last chunk of a choice: it is read and passed on.
Running totals on chunks before (vLLM's `continuous_usage_stats`) are not final and not read.

llama.cpp's server counts each choice of several apart: in a stream of chat by a closing chunk for
each, in one of completions on the last chunk of each. So as many reports as there are choices are
added up. Its plain answer reports one choice of them all.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gateway.facts.dialects import request_fields
from gateway.facts.dialects.openai_family import OpenAIFormat
from gateway.facts.dialects.passing import Seen, WatchedStream, inner, objects
from gateway.facts.dialects.port import StreamWatch
from gateway.facts.estimate import output_tokens
from gateway.facts.event_stream import Event
from gateway.facts.exchange import Ask, Route
from gateway.facts.usage import Usage, has_absurd_count, token_count

MOST_CHOICES = 128
"""OpenAI's own limit of `n`."""

_CLOSING_REPORTS = 2_048
"""Kept at most, however many choices are asked for."""

_SURELY_TOO_FEW = 2
"""A report so many times below the text of several choices is not one of them all."""

Choice = Mapping[str, Any]


class ChunkedFormat(OpenAIFormat, ABC):
    """A format whose streams are chunks of choices."""

    @abstractmethod
    def written_bytes(self, choice: Choice) -> int:
        """Of the text in one choice, whole or a delta."""

    def amend(self, route: Route, body: Mapping[str, Any], ask: Ask) -> Mapping[str, Any] | None:  # noqa: ARG002  all routes alike
        if not _may_withhold(ask):
            return None
        options = request_fields.mapping(body, "stream_options")
        return {**body, "stream_options": {**options, "include_usage": True}}

    def watch_stream(self, route: Route, ask: Ask) -> StreamWatch:  # noqa: ARG002  all routes alike
        withhold = _may_withhold(ask)
        reader = _ChunkReader(ask.choices, self.written_bytes, withhold=withhold)
        return WatchedStream(reader, may_withhold=withhold)

    def note(self, seen: Seen, document: Mapping[str, Any]) -> None:
        seen.note_labels(document)
        _note_choices(seen, document, self.written_bytes)
        usage = _usage(inner(document, "usage"))
        several = len(objects(document.get("choices"))) > 1
        if several and usage.output_tokens is not None:
            delivered = output_tokens(seen.text_bytes)
            if _SURELY_TOO_FEW * usage.output_tokens < delivered:
                usage = replace(usage, output_tokens=None, reasoning_tokens=None)
        seen.usage = usage


class _ChunkReader:
    def __init__(
        self, choices: int, written_bytes: Callable[[Choice], int], *, withhold: bool
    ) -> None:
        self.seen = Seen()
        self._written_bytes = written_bytes
        self._withhold = withhold
        self._most_reports = min(choices, _CLOSING_REPORTS)
        self._closing: deque[Usage] = deque(maxlen=self._most_reports)
        """With one choice, the last one wins."""
        self._finishing: dict[object, Usage] = {}
        """By the index of the choice."""

    def read(self, event: Event) -> bool:
        if event.data.startswith(b"[DONE]"):
            self.seen.complete = True
            return False
        chunk = self.seen.object_in(event)
        if chunk is None:
            return False
        if chunk.get("error") or event.name == "error":
            self.seen.failed = True
            return False
        self.seen.note_labels(chunk)
        finishes = _note_choices(self.seen, chunk, self._written_bytes)
        usage = chunk.get("usage")
        if not isinstance(usage, dict):
            return False
        closes: bool = chunk.get("choices") == []
        if closes:
            self._closing.append(_usage(usage))
            self.seen.usage = self.seen.usage.updated_by(_together(self._closing))
        elif finishes:
            self._finish(objects(chunk.get("choices"))[0], _usage(usage))
        return closes and self._withhold

    def _finish(self, choice: Choice, report: Usage) -> None:
        index = choice.get("index") if self._most_reports > 1 else 0
        if not isinstance(index, int):
            return
        if index in self._finishing or len(self._finishing) < self._most_reports:
            self._finishing[index] = report
            together = _together(list(self._finishing.values()))
            self.seen.usage = self.seen.usage.updated_by(together)


def stream_fields(body: Mapping[str, Any]) -> tuple[bool, bool]:
    """Whether a stream is asked for, and whether its closing usage chunk is."""
    options = request_fields.mapping(body, "stream_options")
    return (
        request_fields.flag(body, "stream"),
        request_fields.flag(options, "include_usage", within="stream_options."),
    )


def ceiling(body: Mapping[str, Any], *names: str, least: int) -> int | None:
    """The largest of the ceilings that a server might go by; None if there is none.

    The API has an old and a new name, servers differ in which one wins, and llama.cpp's own
    `n_predict` beats both; the smaller must not pay for the larger. Below zero `n_predict` lifts
    every ceiling.
    """
    named = [request_fields.whole_number(body, name, least=least) for name in names]
    predict = request_fields.whole_number(body, "n_predict", least=-2)
    if predict is not None and predict < 0:
        return None
    return max((found for found in (*named, predict) if found is not None), default=None)


def choices(body: Mapping[str, Any], *further: str) -> int:
    """`n_cmpl` is what llama.cpp's server reads before `n`; a `further` field may also be 0."""
    asked = [
        request_fields.whole_number(body, name, least=least, most=MOST_CHOICES)
        for least, names in ((1, ("n", "n_cmpl")), (0, further))
        for name in names
    ]
    return max((1, *(count for count in asked if count is not None)))


def _may_withhold(ask: Ask) -> bool:
    return ask.stream and not ask.wants_usage_chunk


def _note_choices(
    seen: Seen, document: Mapping[str, Any], written_bytes: Callable[[Choice], int]
) -> bool:
    """True if a choice ends here."""
    finishes = False
    for place, choice in enumerate(objects(document.get("choices"))):
        index = choice.get("index")
        seen.note_finish(index if isinstance(index, int) else place, choice.get("finish_reason"))
        finishes = finishes or bool(choice.get("finish_reason"))
        seen.text_bytes += written_bytes(choice)
    return finishes


def _usage(usage: Mapping[str, Any]) -> Usage:
    read, written = (
        inner(usage, "prompt_tokens_details"),
        inner(usage, "completion_tokens_details"),
    )
    return Usage(
        input_tokens=token_count(usage.get("prompt_tokens")),
        output_tokens=token_count(usage.get("completion_tokens")),
        cached_tokens=token_count(read.get("cached_tokens")),
        cache_write_tokens=token_count(read.get("cache_write_tokens")),
        reasoning_tokens=token_count(written.get("reasoning_tokens")),
        absurd=has_absurd_count(usage),
    )


def _together(reports: Sequence[Usage]) -> Usage:
    """One usage for all choices: they share the input and add up their outputs."""
    return replace(
        reports[-1],
        output_tokens=_sum(report.output_tokens for report in reports),
        reasoning_tokens=_sum(report.reasoning_tokens for report in reports),
        absurd=any(report.absurd for report in reports),
    )


def _sum(counts: Iterable[int | None]) -> int | None:
    """None if none is known."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
