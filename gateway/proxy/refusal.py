"""Errors, by whose fault they are, as refusals that a dialect can word."""

from gateway.decision.outcome import Decision
from gateway.errors import (
    UpstreamError,
    UpstreamProtocolError,
    UpstreamRedirected,
    UpstreamTimeout,
)
from gateway.facts.caller_fault import by_caller
from gateway.facts.dialects.port import Answer, Headers
from gateway.facts.refusal import Refusal, RefusalKind
from gateway.policy.quota import SECOND_US
from gateway.proxy.asgi import Send

__all__ = [
    "INTERNAL",
    "STOPPING",
    "by_caller",
    "by_upstream",
    "overloaded",
    "send_answer",
    "store_headers",
]

INTERNAL = Refusal(
    RefusalKind.INTERNAL, "The gateway failed. The operator finds the cause by the request id."
)

STOPPING = Refusal(RefusalKind.OVERLOADED, "The gateway is being stopped. Send the request again.")


def overloaded(later_us: int) -> Refusal:
    """Soon there is room again; nobody can know when."""
    return Refusal(
        RefusalKind.OVERLOADED,
        "The gateway has as many requests under way as it takes. Retry in "
        f"{1 if later_us == 0 else 2} s.",
        retry_after_us=SECOND_US + later_us,
    )


def by_upstream(error: UpstreamError, *, begun: bool) -> Refusal:
    """In our own words: those of the error may name hosts that are nobody's business."""
    if begun:
        return Refusal(
            RefusalKind.UPSTREAM_UNREACHABLE, "The model API broke off in the middle of its answer."
        )
    if isinstance(error, UpstreamTimeout):
        return Refusal(RefusalKind.UPSTREAM_TIMEOUT, "The model API did not answer in time.")
    if isinstance(error, UpstreamRedirected):
        words = (
            "The model API redirects, which is not followed. The operator has to give the gateway "
            "the final address."
        )
    elif isinstance(error, UpstreamProtocolError):
        words = (
            "The model API sent an answer that cannot be passed on. The operator finds the cause "
            "by the request id."
        )
    else:
        words = "The model API could not be reached."
    return Refusal(RefusalKind.UPSTREAM_UNREACHABLE, words)


def store_headers(decision: Decision | None) -> Headers:
    """Only where the decision was made without the store."""
    return [(b"gauger-store", b"degraded")] if decision and decision.degraded else []


async def send_answer(send: Send, answer: Answer, extra: Headers) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [*answer.headers, *extra],
        }
    )
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})
