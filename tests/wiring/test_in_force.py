from gateway.facts.accounts import Accounts, parse_accounts
from gateway.identity.rules import IdentityRules
from gateway.wiring.in_force import in_force
from tests.parts.values import limit, policies, quota

TWO = policies(quota(limit(5, quota_id="a")), quota(limit(6, quota_id="b")))


def told(accounts: Accounts | None = None, identities: IdentityRules | None = None) -> str:
    return in_force(TWO, accounts, identities, store="redis", upstreams="api:443")


def test_the_start_tells_which_policies_store_and_upstream_are_in_force() -> None:
    assert told() == (
        f"In force: policies {TWO.digest} with 2 quotas; store redis; upstream api:443; "
        "any key is an account of its own."
    )


def test_the_start_tells_who_may_call() -> None:
    one = parse_accounts("accounts: [{id: a, keys: []}]", "accounts.yaml")
    assert told(one).endswith("; 1 account.")
    assert told(one, IdentityRules((), None, admits_unknown_keys=True)).endswith(
        "; 1 account, any other key is an account of its own."
    )
    assert told(None, IdentityRules((), None, admits_unknown_keys=False)).endswith(
        "; nobody may call."
    )
