"""A request that never reached a policy: what is wrong with it, as a refusal."""

from gateway.errors import (
    BodyTooLarge,
    CallerError,
    GuessedTooOften,
    MalformedRequest,
    MethodNotAllowed,
    Unidentified,
    UnknownCredential,
    UnknownRoute,
)
from gateway.facts.refusal import Refusal, RefusalKind

_KINDS: dict[type[CallerError], RefusalKind] = {
    MalformedRequest: RefusalKind.MALFORMED,
    Unidentified: RefusalKind.NO_CREDENTIAL,
    UnknownCredential: RefusalKind.BAD_CREDENTIAL,
    GuessedTooOften: RefusalKind.RATE,
    UnknownRoute: RefusalKind.UNKNOWN_ROUTE,
    MethodNotAllowed: RefusalKind.METHOD_NOT_ALLOWED,
    BodyTooLarge: RefusalKind.BODY_TOO_LARGE,
}


def by_caller(error: CallerError) -> Refusal:
    return Refusal(
        _KINDS.get(type(error), RefusalKind.MALFORMED),
        error.message,
        retry_after_us=error.retry_after_us if isinstance(error, GuessedTooOften) else None,
        field=error.field,
        allow=error.allowed if isinstance(error, MethodNotAllowed) else None,
    )
