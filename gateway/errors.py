"""The error tree, by whose fault it is.

A refusal by policy is not an error: it is a `Decision`. Exceptions of other packages are translated
where they enter (`store.redis`, `proxy.upstream`), with the cause kept; what is not in this tree is
a bug, ends as a 500, and is still settled.
"""


class GaugerError(Exception):
    """Anything gauger itself raises."""


class CallerError(GaugerError):
    """The request cannot be judged as it was sent; it never reached a policy.

    `message` is for the caller and repeats nothing secret; `field` names the part of the body or
    the header that is wrong, if it is one.
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class MalformedRequest(CallerError):
    """Bad JSON, a field of the wrong type, a path or header with two meanings: 400."""


class Unidentified(CallerError):
    """No credential: 401."""


class UnknownCredential(CallerError):
    """A credential that nobody here issued: 401."""


class GuessedTooOften(UnknownCredential):
    """Neither was this one, nor were too many others from the same address: 429."""

    def __init__(self, message: str, *, retry_after_us: int) -> None:
        super().__init__(message)
        self.retry_after_us = retry_after_us


class UnknownRoute(CallerError):
    """A path that no dialect declares: 404, never forwarded unmetered."""


class MethodNotAllowed(CallerError):
    """A known path with another method: 405."""

    def __init__(self, message: str, *, allowed: str) -> None:
        super().__init__(message)
        self.allowed = allowed


class BodyTooLarge(CallerError):
    """More bytes than the cap: 413, the rest unread."""


class ClientLeft(GaugerError):
    """The client closed before its request was complete. Nobody is left to answer."""


class OperatorError(GaugerError):
    """What an operator wrote cannot be used: no start, or the last good state stays."""


class SettingsError(OperatorError):
    """A flag, variable or settings key that cannot be used."""


class IdentityUnavailable(GaugerError):
    """Who asks cannot be verified now, through no fault of the caller's: 503.

    The text is for the caller.
    """


class StoreUnavailable(GaugerError):
    """The store did not answer, or not with sense. `kind` is one word for a metric's label."""

    def __init__(self, message: str, *, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


class UpstreamError(GaugerError):
    """The model API could not be asked, or did not answer properly.

    `sent` tells whether any byte of the request may have reached it: before that nothing was
    consumed and the reservation is released in full.
    """

    kind = "error"

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class UpstreamUnreachable(UpstreamError):
    """Refused, no such host, TLS failed, or the connection broke before the answer's head: 502."""

    kind = "unreachable"


class UpstreamProtocolError(UpstreamError):
    """It answered with something that is not HTTP, or that cannot be passed on: 502."""

    kind = "protocol"


class UpstreamRedirected(UpstreamProtocolError):
    """It would send callers elsewhere, where no quota holds: 502."""

    kind = "redirect"


class UpstreamTimeout(UpstreamError):
    """Connect, first byte or idle deadline passed: 504."""

    kind = "timeout"


class UpstreamTruncated(UpstreamError):
    """The answer broke off after its head was passed on."""

    kind = "truncated"
