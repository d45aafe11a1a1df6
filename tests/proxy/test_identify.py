import pytest

from gateway.errors import UnknownCredential
from gateway.facts.principal import Account, Secret
from gateway.proxy.identify import Identifier

SECRET = Secret(b"a secret of the tests")
ACME = Account("acme", plan="pro")


class Known:
    def find(self, credential_hash: str) -> Account | None:
        return ACME if credential_hash == SECRET.credential_hash("sk-acme") else None


def test_without_accounts_every_key_is_an_account_named_by_its_keyed_hash() -> None:
    identifier = Identifier(SECRET, None)
    first, second = identifier.principal("sk-1", "192.0.2.1"), identifier.principal("sk-2", None)
    assert first.account.id == SECRET.anonymous_account_id("sk-1")
    assert first.account.id != second.account.id
    assert "sk-1" not in repr(first)
    assert first.client_address == "192.0.2.1"


def test_with_accounts_a_known_key_is_its_account() -> None:
    assert Identifier(SECRET, Known()).principal("sk-acme", None).account is ACME


def test_with_accounts_an_unknown_key_is_nobody() -> None:
    with pytest.raises(UnknownCredential) as refused:
        Identifier(SECRET, Known()).principal("sk-other", None)
    assert "sk-other" not in refused.value.message


@pytest.mark.parametrize("absurd", ["", "k" * 8193, "a b", "a\nb", "a\x00", "k\xe9y", "k\u2028"])
def test_what_cannot_be_a_key_is_nobodys(absurd: str) -> None:
    with pytest.raises(UnknownCredential):
        Identifier(SECRET, None).principal(absurd, None)
