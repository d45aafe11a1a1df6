"""What gauger asks of a wire format. One file per dialect implements it; nothing else knows one.

A dialect is pure: values and bytes in, values and bytes out. It sees the text of prompts and
answers and keeps none of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.facts.exchange import Ask, Route
from gateway.facts.refusal import QuotaState, Refusal
from gateway.facts.usage import UNREPORTED, Usage

Headers = list[tuple[bytes, bytes]]
"""As ASGI has them: lower-case names, in order, repeats kept."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer of the gateway's own."""

    status: int
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """What is known of the model's answer, as far as it has come."""

    usage: Usage = UNREPORTED
    """Taken only from where the provider reports it finally; never from text."""
    output_tokens_seen: int = 0
    """Estimated from the text of the deltas (or of the whole answer), all choices together."""
    model: str | None = None
    response_id: str | None = None
    finish_reasons: tuple[str, ...] = ()
    complete: bool = False
    """The dialect's own last event (or a whole JSON document) was seen."""
    failed: bool = False
    """The answer, or an event in the stream, was the provider's error."""


class StreamWatch(Protocol):
    """Reads an event stream as it passes. One for each exchange."""

    def feed(self, data: bytes) -> bytes:
        """Bytes as they came from upstream, cut anywhere; returns what may go on to the client.

        Whole events go on at once. Only the bytes of an event that is not complete yet are held
        back, and only where an event may have to be withheld.
        """
        ...

    def finish(self) -> bytes:
        """The stream has ended: what was still held back."""
        ...

    @property
    def answered(self) -> Answered: ...

    @property
    def output_tokens_seen(self) -> int:
        """That of `answered`, which is asked for after every piece."""
        ...


class Dialect(Protocol):
    @property
    def name(self) -> str:
        """`openai`, `anthropic`: the value of `request.dialect`."""
        ...

    @property
    def routes(self) -> Sequence[Route]: ...

    def read_ask(
        self, route: Route, body: Mapping[str, Any], body_bytes: int, path_model: str | None = None
    ) -> Ask:
        """`path_model` is what stands in the path in the place of the model, if it has one.

        Raises `MalformedRequest` naming the field that is missing or of the wrong type.
        """
        ...

    def amend(self, route: Route, body: Mapping[str, Any], ask: Ask) -> Mapping[str, Any] | None:
        """The body to forward instead, so that usage is reported; None: the very bytes go on."""
        ...

    def watch_stream(self, route: Route, ask: Ask) -> StreamWatch: ...

    def read_answer(self, route: Route, status: int, body: bytes) -> Answered:
        """A whole answer, not streamed. Never raises: what cannot be read is unreported."""
        ...

    def refuse(
        self, refusal: Refusal, quotas: Sequence[QuotaState], request_id: str, now_us: int
    ) -> Answer:
        """`now_us` is the wall clock: some headers say when, not how long."""
        ...

    def quota_headers(self, quotas: Sequence[QuotaState], now_us: int) -> Headers:
        """The caller's own limits, in the dialect's headers and in the IETF fields."""
        ...

    def request_id_header(self) -> bytes: ...

    def stream_error(self, refusal: Refusal, request_id: str) -> bytes:
        """The event that ends a stream as an error: a clean close looks like success to SDKs.

        Whoever sends it ends an event that the upstream left unfinished first.
        """
        ...

    def credential_headers(self, upstream_key: str) -> Headers:
        """How the dialect presents the upstream's own key."""
        ...
