"""What `gateway/docs/identities.md` tells a reader to write works as it is written there."""

import re
from pathlib import Path

import pytest

from gateway.facts.accounts import parse_accounts
from gateway.identity.document import CertificateEntry, FrontProxyEntry, IssuerEntry
from gateway.identity.key_fetch import TIMEOUT_S
from gateway.identity.key_set import ALGORITHMS
from gateway.identity.key_sources import USUAL
from gateway.identity.rules import parse_identities
from gateway.identity.tokens import REMEMBERED

TEXT = (Path(__file__).parents[2] / "gateway/docs/identities.md").read_text("utf-8")
BLOCKS = re.findall(r"^```yaml\n# ([\w.]+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
IDENTITIES = [text for name, text in BLOCKS if name == "identities.yaml"]


def test_every_block_says_which_file_it_is() -> None:
    assert len(BLOCKS) == TEXT.count("```yaml")
    assert {name for name, _ in BLOCKS} == {"identities.yaml", "accounts.yaml"}


@pytest.mark.parametrize("text", IDENTITIES)
def test_an_identities_file_is_sound(text: str) -> None:
    rules = parse_identities({"identities.yaml": text}, "identities.yaml")
    assert rules.admits_unknown_keys or rules.issuers or rules.front_proxy


def test_the_accounts_file_is_sound_and_knows_its_certificates() -> None:
    (text,) = [text for name, text in BLOCKS if name == "accounts.yaml"]
    accounts = parse_accounts(text, "accounts.yaml")
    acme = accounts.named("acme")
    assert acme is not None
    assert accounts.with_certificate("spiffe://corp.example/acme") is acme
    assert accounts.with_certificate("CN=acme,O=Acme Corp,C=DE") is acme


@pytest.mark.parametrize(
    "key",
    [*IssuerEntry.model_fields, *FrontProxyEntry.model_fields, *CertificateEntry.model_fields],
)
def test_every_key_is_told_of(key: str) -> None:
    assert re.search(rf"`{key}(: \w+)?`|^ +{key}:", TEXT, re.MULTILINE)


def test_the_figures_are_those_of_the_code() -> None:
    default = IssuerEntry.model_fields["algorithms"].default
    assert ", ".join(ALGORITHMS) in TEXT
    assert f"| {', '.join(default)} |" in TEXT
    assert f"{REMEMBERED:,} tokens" in TEXT
    assert (USUAL.refresh_s, USUAL.between_s, TIMEOUT_S) == (300.0, 5.0, 5.0)
