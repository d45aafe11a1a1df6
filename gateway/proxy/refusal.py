"""Errors, by whose fault they are, as refusals that a dialect can word."""

from gateway.errors import (
    BodyTooLarge,
    CallerError,
    MalformedRequest,
    MethodNotAllowed,
    Unidentified,
    UnknownCredential,
    UnknownRoute,
    UpstreamError,
    UpstreamTimeout,
)
from gateway.facts.dialects.port import Answer, Headers
from gateway.facts.refusal import Refusal, RefusalKind
from gateway.proxy.asgi import Send

_BY_CALLER: dict[type[CallerError], RefusalKind] = {
    MalformedRequest: RefusalKind.MALFORMED,
    Unidentified: RefusalKind.NO_CREDENTIAL,
    UnknownCredential: RefusalKind.BAD_CREDENTIAL,
    UnknownRoute: RefusalKind.UNKNOWN_ROUTE,
    MethodNotAllowed: RefusalKind.METHOD_NOT_ALLOWED,
    BodyTooLarge: RefusalKind.BODY_TOO_LARGE,
}

INTERNAL = Refusal(
    RefusalKind.INTERNAL, "The gateway failed. The operator finds the cause by the request id."
)


def by_caller(error: CallerError) -> Refusal:
    return Refusal(
        _BY_CALLER.get(type(error), RefusalKind.MALFORMED),
        error.message,
        field=error.field,
        allow=error.allowed if isinstance(error, MethodNotAllowed) else None,
    )


def by_upstream(error: UpstreamError, *, begun: bool) -> Refusal:
    """In our own words: those of the error may name hosts that are nobody's business."""
    if begun:
        return Refusal(
            RefusalKind.UPSTREAM_UNREACHABLE, "The model API broke off in the middle of its answer."
        )
    if isinstance(error, UpstreamTimeout):
        return Refusal(RefusalKind.UPSTREAM_TIMEOUT, "The model API did not answer in time.")
    return Refusal(RefusalKind.UPSTREAM_UNREACHABLE, "The model API could not be reached.")


async def send_answer(send: Send, answer: Answer, extra: Headers) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [*answer.headers, *extra],
        }
    )
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})
