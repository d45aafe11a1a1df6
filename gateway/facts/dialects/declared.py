"""Routes that an operator declares: what gauger does not know by itself, and how it is counted.

Of the request only the model and the size are read. Where usage is to be settled it is read from
where the dialect reports it; what a model may write is not declared, so it is learned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.facts.dialects import request_fields
from gateway.facts.dialects.port import Answer, Answered, Dialect, Headers, StreamWatch
from gateway.facts.dialects.prompt_size import measured
from gateway.facts.estimate import FILE_TOKENS
from gateway.facts.exchange import Ask, Route
from gateway.facts.refusal import QuotaState, Refusal


@dataclass(frozen=True, slots=True)
class DeclaredRoute:
    """A route, and in whose dialect it is spoken."""

    dialect: str
    route: Route
    """`generates`: its usage is settled; otherwise only requests count."""


class Declared:
    """One declared route, as a dialect: `spoken` words the errors and reads the answers."""

    def __init__(self, route: Route, spoken: Dialect, as_on: Route) -> None:
        """`as_on` is the route of `spoken` whose kind of answer is expected here."""
        self.name = spoken.name
        self.routes: Sequence[Route] = (route,)
        self._spoken = spoken
        self._as_on = as_on

    def read_ask(
        self, route: Route, body: Mapping[str, Any], body_bytes: int, path_model: str | None = None
    ) -> Ask:
        model = path_model
        if model is None and body.get("model") is not None:
            model = request_fields.model_name(body)
        if not route.generates:
            return Ask(model=model, stream=body.get("stream") is True)
        opaque = FILE_TOKENS if body_bytes else 0
        return Ask(
            model=model,
            stream=body.get("stream") is True,
            input_tokens=opaque if route.opaque_body else measured({}, [dict(body)]).tokens,
        )

    def amend(self, route: Route, body: Mapping[str, Any], ask: Ask) -> Mapping[str, Any] | None:  # noqa: ARG002  what it would take is not known
        return None

    def watch_stream(self, route: Route, ask: Ask) -> StreamWatch:  # noqa: ARG002  as on the other
        return self._spoken.watch_stream(self._as_on, ask)

    def read_answer(self, route: Route, status: int, body: bytes) -> Answered:  # noqa: ARG002  as on the other
        return self._spoken.read_answer(self._as_on, status, body)

    def refuse(
        self, refusal: Refusal, quotas: Sequence[QuotaState], request_id: str, now_us: int
    ) -> Answer:
        return self._spoken.refuse(refusal, quotas, request_id, now_us)

    def quota_headers(self, quotas: Sequence[QuotaState], now_us: int) -> Headers:
        return self._spoken.quota_headers(quotas, now_us)

    def request_id_header(self) -> bytes:
        return self._spoken.request_id_header()

    def stream_error(self, refusal: Refusal, request_id: str) -> bytes:
        return self._spoken.stream_error(refusal, request_id)

    def credential_headers(self, upstream_key: str) -> Headers:
        return self._spoken.credential_headers(upstream_key)
