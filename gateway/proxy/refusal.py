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
from gateway.facts.principal import Principal
from gateway.facts.refusal import Refusal, RefusalKind
from gateway.policy.quota import SECOND_US
from gateway.proxy.asgi import Send

__all__ = [
    "INTERNAL",
    "STOPPING",
    "by_caller",
    "by_upstream",
    "overloaded",
    "own_headers",
    "send_answer",
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


SEES_SHADOWS = "explain"
"""Whose account has this attribute, as `true`, is told of policies in shadow mode."""

_IN_SHADOW = frozenset({"would_refuse", "would_respond"})


def own_headers(decision: Decision | None, principal: Principal | None) -> Headers:
    """That the store took no part; and, for whom the operator trusts, who would have refused."""
    if decision is None:
        return []
    headers: Headers = [(b"gauger-store", b"degraded")] if decision.degraded else []
    if principal is not None and principal.account.attributes.get(SEES_SHADOWS) == "true":
        spoke = dict.fromkeys(r.policy_id for r in decision.reasons if r.code in _IN_SHADOW)
        if spoke:
            headers.append((b"gauger-would-refuse", ", ".join(spoke).encode()))
    return headers


async def send_answer(send: Send, answer: Answer, extra: Headers) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [*answer.headers, *extra],
        }
    )
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})
