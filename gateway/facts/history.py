"""What is known of an account's own past when a request of its comes: facts named `history.*`.

They come from what behaviour policies have seen of the account (`behaviour.account_state`), so they
are as old as the last recorded exchange, and an account that was never seen has `UNSEEN`.
"""

from dataclasses import dataclass

from gateway.values import made_often


@made_often
@dataclass(frozen=True, slots=True)
class History:
    """One account's past, and how the present request stands to it."""

    requests: int = 0
    """In the last seven days, this one not included."""
    age_days: int = 0
    """Since the account was opened, as the operator says; if he does not, since it was first
    seen."""
    known_days: int = 0
    """Since it was first seen."""
    fresh: bool = True
    """It was opened less than two weeks ago, or first seen less than three days ago by a gateway
    that has been watching for longer than that."""
    one_shot: bool = False
    """Most of what it sends are single questions without a beginning or an end that it has used
    before."""
    novel: bool = False
    """This request is a single question, without tools, of five words or more, whose beginning and
    end are both new to the account."""


UNSEEN = History()
