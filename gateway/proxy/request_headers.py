"""The headers of a request, read once: what we use, what goes on, what is refused.

Copied before the body is read: uvicorn appends the trailers of a chunked body to the very list in
the scope, and a credential sent as a trailer was seen to reach the upstream beside the real one.
"""

import re
from dataclasses import dataclass, field

from gateway.errors import MalformedRequest, Unidentified
from gateway.facts import client_session
from gateway.facts.dialects.port import Headers

HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"te", b"trailer", b"transfer-encoding", b"upgrade")
)
"""RFC 9110, 7.6.1; with everything that begins with `proxy-`."""

KEYS = frozenset((b"x-api-key", b"x-goog-api-key"))
"""Headers that hold a key and nothing else."""

CREDENTIALS = KEYS | {b"authorization"}

ONCE = CREDENTIALS | {b"host", b"content-length", b"content-type", b"content-encoding", b"expect"}
"""Two of these have two meanings. (Two `transfer-encoding` are the server's to refuse.)"""

CLAIMS = frozenset(
    (
        b"forwarded",
        b"x-real-ip",
        b"x-client-ip",
        b"true-client-ip",
        b"cf-connecting-ip",
        b"x-account-id",
        b"x-original-url",
        b"x-rewrite-url",
        b"x-http-method-override",
        b"x-method-override",
        b"x-abuse-tier",
    )
)
"""Claims about who asks, from where, or for what else. They go no further; who may make some of
them, `identify` knows."""
CLAIM_PREFIXES = (b"x-forwarded-", b"x-gauger-")

HIDES_USAGE = frozenset((b"x-goog-fieldmask", b"x-goog-encode-response-if-executable"))
"""By these an answer of Google's would leave its usage out, or be encoded."""

TRACE_CONTEXT = frozenset((b"traceparent", b"tracestate"))

OURS = TRACE_CONTEXT | {b"host", b"content-length", b"expect", b"accept-encoding"}
OURS |= {b"baggage", b"x-request-id", b"request-id", b"via"}
"""Written anew for the upstream, or not at all."""

NOT_FORWARDED = HOP_BY_HOP | CREDENTIALS | CLAIMS | HIDES_USAGE | OURS

WITH_CREDENTIAL = frozenset(
    (b"cookie", b"api-key", b"x-goog-user-project", b"openai-organization", b"openai-project")
)
"""They go with the caller's own credential. Beside the operator's they would choose who pays."""

HINTS = frozenset((b"user-agent", b"x-stainless-retry-count"))
"""For the trace alone; the first counts."""

SESSIONS = frozenset(client_session.HEADERS)
"""Hints, too, in whatever spelling; they go on."""

NOTED = HINTS | SESSIONS

RELIED_ON = NOT_FORWARDED | ONCE | HINTS

NO_CLAIMS: frozenset[bytes] = frozenset()

IDENTITY = (b"accept-encoding", b"identity")
"""The answer is read as it passes."""

_BEARER = re.compile(rb"[Bb][Ee][Aa][Rr][Ee][Rr] +([!-~]+) *")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_DIGITS = re.compile(rb"[0-9]{1,18}")
_JSON = re.compile(rb'application/json *(?:; *charset="?utf-8"? *)?', re.IGNORECASE)
_PRINTABLE = re.compile(rb"[ -~]*")


@dataclass(frozen=True, slots=True)
class RequestHeaders:
    """Values may hold secrets, so the repr holds none."""

    once: dict[bytes, bytes] = field(repr=False)
    """The values of those in ONCE and in NOTED."""
    forwarded: Headers = field(repr=False)
    credentials: Headers = field(repr=False)
    claimed: Headers = field(repr=False)
    """What was asked for as `claims`: to be believed of a trusted front proxy alone."""
    chunked: bool
    via: tuple[bytes, ...] = ()
    """Through whom it came. It goes on with our own name added (RFC 9110, 7.6.3)."""

    @property
    def declared_bytes(self) -> int | None:
        declared = self.once.get(b"content-length")
        return None if declared is None else int(declared)

    @property
    def body_announced(self) -> bool:
        return self.chunked or bool(self.declared_bytes)

    @property
    def user_agent(self) -> str | None:
        value = self.once.get(b"user-agent", b"")[:256]
        return value.decode("ascii") if value and _PRINTABLE.fullmatch(value) else None

    @property
    def retry_count(self) -> int:
        value = self.once.get(b"x-stainless-retry-count", b"")
        return min(int(value), 99) if _DIGITS.fullmatch(value) else 0

    def session(self) -> str | None:
        """As the client names it. Raises `MalformedRequest`."""
        return client_session.in_headers(self.once)

    def credential(self) -> str:
        """Exactly one, however often it is shown. Raises `Unidentified`, `MalformedRequest`."""
        shown: set[bytes] = set()
        for name, value in self.credentials:
            if name in KEYS:
                shown.add(value.strip())
            elif bearer := _BEARER.fullmatch(value):
                shown.add(bearer[1])
            else:
                raise Unidentified(
                    "The authorization header must be `Bearer` and a key.", field="authorization"
                )
        if len(shown) > 1:
            raise MalformedRequest("The headers hold different keys. Send one.")
        if not any(shown):
            raise Unidentified(
                "No API key. Send `Authorization: Bearer KEY`, `x-api-key: KEY` or "
                "`x-goog-api-key: KEY`.",
            )
        return shown.pop().decode("latin-1")

    def demand_no_ring(self, own: bytes) -> None:
        """`own` is what we say in `via`. Raises `MalformedRequest`."""
        if any(own == said.strip() for value in self.via for said in value.split(b",")):
            raise MalformedRequest(
                "This request has come through this gateway before: gateways forward to each "
                "other in a ring. Its operator must give the address of the model API as upstream.",
                field="via",
            )

    def demand_json(self) -> None:
        """A body under another name would be read in another way. Raises `MalformedRequest`."""
        declared = self.once.get(b"content-type")
        if declared is not None and not _JSON.fullmatch(declared.strip()):
            raise MalformedRequest(
                "The content-type must be application/json in UTF-8.", field="content-type"
            )
        if b"content-encoding" in self.once:
            raise MalformedRequest(
                "An encoded body is not taken. Send it plain.", field="content-encoding"
            )


def read_headers(raw: Headers, claims: frozenset[bytes] = NO_CLAIMS) -> RequestHeaders:
    """`claims` are the headers by which a front proxy may say who asks.

    Raises `MalformedRequest`; its text quotes names, never values.
    """
    relied_on = RELIED_ON | claims if claims else RELIED_ON
    named = _named_by_connection(raw, relied_on)
    once = _singles(raw, relied_on)
    dropped = named | claims
    if not _DIGITS.fullmatch(once.get(b"content-length", b"0")):
        raise _wrong(b"content-length", "is not a length")
    return RequestHeaders(
        once,
        forwarded=[pair for pair in raw if _goes_on(pair[0]) and pair[0] not in dropped],
        credentials=[pair for pair in raw if pair[0] in CREDENTIALS],
        claimed=[pair for pair in raw if pair[0] in claims],
        chunked=any(name == b"transfer-encoding" for name, _ in raw),
        via=tuple(value for name, value in raw if name == b"via"),
    )


def _singles(raw: Headers, relied_on: frozenset[bytes]) -> dict[bytes, bytes]:
    once: dict[bytes, bytes] = {}
    for name, value in raw:
        if b"_" in name:
            _refuse_twin(name, relied_on)
        if _CONTROL.search(value):
            raise MalformedRequest("A header value has a control character.")
        if name in ONCE:
            if name in once:
                raise _wrong(name, "appears twice")
            once[name] = value
        elif name in NOTED:
            once.setdefault(name, value)
    return once


def _goes_on(name: bytes) -> bool:
    return (
        name not in NOT_FORWARDED
        and not name.startswith(CLAIM_PREFIXES)
        and not name.startswith(b"proxy-")
    )


def _named_by_connection(raw: Headers, relied_on: frozenset[bytes]) -> set[bytes]:
    named = {
        token.strip().lower()
        for name, value in raw
        if name == b"connection"
        for token in value.split(b",")
    }
    for token in named - {b"close"} - HOP_BY_HOP:
        if token in relied_on or token.startswith(CLAIM_PREFIXES):
            raise MalformedRequest("connection names a header that is relied on.")
    return named


def _refuse_twin(name: bytes, relied_on: frozenset[bytes]) -> None:
    """Some servers read `x_api_key` as `x-api-key`."""
    twin = name.replace(b"_", b"-").lower()
    if twin in relied_on or twin.startswith(CLAIM_PREFIXES):
        raise MalformedRequest("A header is spelt with underscores in place of hyphens.")


def _wrong(name: bytes, what: str) -> MalformedRequest:
    header = name.decode("ascii")
    return MalformedRequest(f"The header {header} {what}.", field=header)
