"""What a gauger begins with, in one line of its log: an operator sees at once what it read."""

from collections.abc import Sequence

from gateway.facts.accounts import Accounts
from gateway.identity.rules import IdentityRules
from gateway.policy.quota import Policies


def in_force(
    policies: Policies,
    accounts: Accounts | None,
    identities: IdentityRules | None,
    *,
    store: str,
    upstreams: str,
) -> str:
    """`store` and `upstreams` in words, without a password."""
    what = f"policies {policies.digest} with {_counted(len(policies.quotas), 'quota')}"
    who = ", ".join(_who_may_call(accounts, identities))
    return f"In force: {what}; store {store}; upstream {upstreams}; {who}."


def _who_may_call(accounts: Accounts | None, identities: IdentityRules | None) -> Sequence[str]:
    admitted = identities.admits_unknown_keys if identities is not None else accounts is None
    told = [] if accounts is None else [_counted(len(accounts), "account")]
    if identities is not None and identities.issuers:
        told.append(_counted(len(identities.issuers), "issuer") + " of tokens")
    if identities is not None and identities.front_proxy is not None:
        told.append("a front proxy")
    if admitted:
        told.append("any other key is an account of its own" if told else ANY_KEY)
    return told or ["nobody may call"]


ANY_KEY = "any key is an account of its own"


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
