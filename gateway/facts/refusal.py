"""What a caller may be told when it is not served, before any dialect words it.

The kinds are a closed list: each has one status per dialect, one metric label and one row in
the table of `docs` (source: `protocols` research, SDK reactions measured). A refusal that waiting
cannot cure is never a 429: two of the clients measured repeat every 429 for ever.
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway.values import made_often


class RefusalKind(StrEnum):
    RATE = "rate"
    """A quota over time is used up; waiting helps."""
    CONCURRENCY = "concurrency"
    """Too many exchanges in flight."""
    NEVER_FITS = "never_fits"
    """This very request exceeds a whole quota; waiting never helps."""
    BLOCKED = "blocked"
    """An operator has shut the account out."""
    CHALLENGE = "challenge"
    """A person has to confirm first that the account is his."""
    NO_CREDENTIAL = "no_credential"
    BAD_CREDENTIAL = "bad_credential"
    UNKNOWN_ROUTE = "unknown_route"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    MALFORMED = "malformed"
    BODY_TOO_LARGE = "body_too_large"
    STORE_UNAVAILABLE = "store_unavailable"
    IDENTITY_UNAVAILABLE = "identity_unavailable"
    """The keys that verify callers are not there."""
    OVERLOADED = "overloaded"
    UPSTREAM_UNREACHABLE = "upstream_unreachable"
    UPSTREAM_TIMEOUT = "upstream_timeout"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One answer of the gateway's own, in no dialect yet."""

    kind: RefusalKind
    message: str
    """For the caller: what, and what to do. Nothing secret, no detector's settings."""
    retry_after_us: int | None = None
    """How long until the very same request is admitted if nothing else comes; None: waiting does
    not help, or nobody can know."""
    field: str | None = None
    """The part of the request that is wrong (`max_tokens`), for dialects with a `param`."""
    allow: str | None = None
    """The methods of the path, for a 405's `Allow`."""


@made_often
@dataclass(frozen=True, slots=True)
class QuotaState:
    """One bought limit as it may be shown to the caller who holds it."""

    name: str
    """The quota's id. Several limits of one quota share it; the IETF fields tell them apart."""
    unit: str
    """What is counted: a `policy.quota.Unit`. Money is counted in `micro_usd`."""
    limit: int
    remaining: int
    window_us: int | None
    """None for what is in flight."""
    full_after_us: int
    """Until all of the limit is free again if nothing else comes."""
    retry_after_us: int | None = None
    """If this limit refused: until it would admit."""
    refused: bool = False
    weighted: bool = False
    """Tokens count by weights: what remains is no number of tokens."""
