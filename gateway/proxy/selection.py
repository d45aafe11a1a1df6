"""Which model API an exchange goes to, and with whose credential: decided once, in one place.

So the key of one provider cannot reach another. What is decided by is the dialect and the model as
they were read from the request, nothing raw of it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.proxy.intake import UpstreamKey

EXTENSION = "gauger.upstream"
"""In the scope's `extensions`: the name of the upstream that was selected."""


@dataclass(frozen=True, slots=True)
class Selection:
    """One of the upstreams."""

    name: str
    key: UpstreamKey | None
    """None: the caller's own credential goes on."""


Select = Callable[[str, str | None], Selection]
"""By the dialect's name and the model."""

THE_ONE = ""
"""The name of the upstream where there is no other, and of the one for all that is not selected."""


def the_only_one(key: UpstreamKey | None = None) -> Select:
    one = Selection(THE_ONE, key)
    return lambda _dialect, _model: one
