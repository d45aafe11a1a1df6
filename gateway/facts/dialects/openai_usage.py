"""Usage wherever an endpoint of OpenAI's kind may report it, for routes that an operator declares.

Transcriptions, images and servers' own endpoints disagree on names and on the event that has it:
the last report wins. What else they answer is not known, so only text in the usual places counts
as delivered.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.facts.dialects.openai_family import OpenAIFormat
from gateway.facts.dialects.passing import Seen, WatchedStream, inner
from gateway.facts.dialects.port import StreamWatch
from gateway.facts.dialects.prompt_size import text_bytes
from gateway.facts.event_stream import Event
from gateway.facts.exchange import Ask, Route
from gateway.facts.usage import Usage, has_absurd_count, token_count

_TEXT = ("text", "choices", "output")


class OpenAIUsage(OpenAIFormat):
    """Reads answers alone; asks of declared routes are read by `declared.Declared`."""

    routes: Sequence[Route] = ()

    def read_ask(
        self,
        route: Route,  # noqa: ARG002  of any
        body: Mapping[str, Any],  # noqa: ARG002  nothing is known of it
        body_bytes: int,  # noqa: ARG002  nor of this
        path_model: str | None = None,
    ) -> Ask:
        return Ask(model=path_model)

    def watch_stream(self, route: Route, ask: Ask) -> StreamWatch:  # noqa: ARG002  all alike
        return WatchedStream(_EventReader(), may_withhold=False)

    def note(self, seen: Seen, document: Mapping[str, Any]) -> None:
        seen.note_labels(document)
        seen.text_bytes = sum(text_bytes(document.get(name)) for name in _TEXT)
        seen.usage = seen.usage.updated_by(_usage(document))


class _EventReader:
    def __init__(self) -> None:
        self.seen = Seen()

    def read(self, event: Event) -> bool:
        seen = self.seen
        if event.data.startswith(b"[DONE]"):
            seen.complete = True
        told = seen.object_in(event) or {}
        if told.get("error") or told.get("type") == "error" or event.name == "error":
            seen.failed = True
            return False
        response = inner(told, "response")
        for source in (told, response):
            seen.note_labels(source)
            seen.usage = seen.usage.updated_by(_usage(source))
        seen.text_bytes += text_bytes(told.get("delta")) + text_bytes(told.get("choices"))
        return False


def _usage(document: Mapping[str, Any]) -> Usage:
    usage = inner(document, "usage")
    read = inner(usage, "input_tokens_details") or inner(usage, "prompt_tokens_details")
    written = inner(usage, "output_tokens_details") or inner(usage, "completion_tokens_details")
    return Usage(
        input_tokens=_either(usage, "input_tokens", "prompt_tokens"),
        output_tokens=_either(usage, "output_tokens", "completion_tokens"),
        cached_tokens=token_count(read.get("cached_tokens")),
        cache_write_tokens=token_count(read.get("cache_write_tokens")),
        reasoning_tokens=token_count(written.get("reasoning_tokens")),
        absurd=has_absurd_count(usage),
    )


def _either(usage: Mapping[str, Any], *names: str) -> int | None:
    counts = (token_count(usage.get(name)) for name in names)
    return next((count for count in counts if count is not None), None)
