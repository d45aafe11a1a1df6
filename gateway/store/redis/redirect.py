"""Where a cluster sends on who asks for a key that is not here, or not here any more."""

from dataclasses import dataclass

from redis import exceptions as theirs

from gateway.errors import StoreUnavailable
from gateway.store.redis.address import Place


@dataclass(frozen=True, slots=True)
class Redirect:
    """Nothing was done."""

    place: Place | None
    """None: the key's slot is on its way, and it has to be tried again."""
    asking: bool = False
    """Only this time: the slot has not arrived there yet."""


def redirect(error: StoreUnavailable, asked: Place) -> Redirect | None:
    """What an error says of it; None if it is another one.

    A node without a name is where `asked` is.
    """
    cause = error.__cause__
    word, _, rest = str(cause).partition(" ")
    if isinstance(cause, theirs.AskError):  # redis-py has taken the word away
        word, rest = ("MOVED" if isinstance(cause, theirs.MovedError) else "ASK"), str(cause)
    if word == "TRYAGAIN" or isinstance(cause, theirs.TryAgainError):
        return Redirect(None)
    host, _, port = rest.rpartition(" ")[-1].rpartition(":")
    if error.kind != "moved" or word not in ("MOVED", "ASK") or not port.isdigit():
        return None
    return Redirect((host if host not in ("", "?") else asked[0], int(port)), word == "ASK")
