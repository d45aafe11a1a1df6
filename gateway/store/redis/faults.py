"""What can be wrong with the server: foreign errors into ours. The kind is a metric's label."""

from collections.abc import Iterator
from contextlib import contextmanager

import hiredis
from redis import exceptions as theirs

from gateway.errors import StoreUnavailable

_HAPPENED = {
    "auth": "rejects our name or password, or forbids us a command or key that we need",
    "loading": "is still loading its data",
    "timeout": "did not answer in time",
    "connection": "cannot be reached, or hung up",
    "readonly": "is a replica and takes no writes",
    "oom": "is out of memory",
    "busy": "is busy with a script of somebody's",
    "persistence": "takes no writes, since it cannot save them",
    "moved": "keeps this key in another place",
    "no_master": "has no master that its sentinels know of",
    "failed_over": "is another server than before",
    "copies": "has no replica that got what was written in time",
    "response": "answered with an error",
    "protocol": "answered with something that makes no sense",
    "pool": "has no connection free for us",
}

_KINDS: tuple[tuple[type[Exception], str], ...] = (
    (theirs.AuthenticationError, "auth"),
    (theirs.AuthorizationError, "auth"),
    (theirs.NoPermissionError, "auth"),
    (theirs.BusyLoadingError, "loading"),
    (theirs.TimeoutError, "timeout"),
    (TimeoutError, "timeout"),
    (theirs.ConnectionError, "connection"),
    (theirs.ReadOnlyError, "readonly"),
    (theirs.OutOfMemoryError, "oom"),
    (theirs.ResponseError, "response"),
    (theirs.RedisError, "protocol"),
    (OSError, "connection"),
)
"""The first that fits."""

_WORDS = {
    "WRONGPASS": "auth",
    "NOAUTH": "auth",
    "NOPERM": "auth",
    "LOADING": "loading",
    "READONLY": "readonly",
    "OOM": "oom",
    "BUSY": "busy",
    "MISCONF": "persistence",
    "MASTERDOWN": "readonly",
    "MOVED": "moved",
    "ASK": "moved",
    "CLUSTERDOWN": "moved",
    "TRYAGAIN": "moved",
}
"""With which word a server's error begins."""

_POOL_EMPTY = "No connection available."
"""BlockingConnectionPool raises a plain ConnectionError with these words."""


def unavailable(kind: str) -> StoreUnavailable:
    return StoreUnavailable(f"The store {_HAPPENED[kind]}.", kind=kind)


def again(error: StoreUnavailable) -> StoreUnavailable:
    """The same, for somebody else to raise."""
    one = StoreUnavailable(str(error), kind=error.kind)
    one.__cause__ = error.__cause__
    return one


def by_their_word(answer: hiredis.ReplyError) -> StoreUnavailable:
    """An error that the server answered; the cause is kept."""
    error = unavailable(_WORDS.get(str(answer).partition(" ")[0], "response"))
    error.__cause__ = answer
    return error


def unreachable(cause: Exception) -> StoreUnavailable:
    """What the system says about a connection."""
    error = unavailable("timeout" if isinstance(cause, TimeoutError) else "connection")
    error.__cause__ = cause
    return error


@contextmanager
def translated() -> Iterator[None]:
    """redis-py's errors become ours."""
    try:
        yield
    except (theirs.RedisError, OSError) as error:
        reason: BaseException = error
        if isinstance(error.__cause__, theirs.RedisError):  # wrapped while connecting
            reason = error.__cause__
        kind = next(k for type_, k in _KINDS if isinstance(reason, type_))
        raise unavailable("pool" if str(error) == _POOL_EMPTY else kind) from error
