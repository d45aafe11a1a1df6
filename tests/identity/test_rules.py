import pytest
import trustme

from gateway.identity.key_set import KeySet
from gateway.identity.rules import KeyUrl, parse_identities, read_with_named
from gateway.source.problems import Problems
from tests.parts.token_issuer import Signer, key_set

FILES = {
    "conf/i.yaml": "jwt:\n"
    "  - {issuer: a, audience: g, jwks_file: keys.json, prefix: a/}\n"
    "  - {issuer: b, audience: g, jwks_url: 'https://b/', ca_file: ca.pem, prefix: b/}\n",
    "conf/keys.json": key_set(Signer().jwk).decode(),
    "conf/ca.pem": trustme.CA().cert_pem.bytes().decode(),
}


def test_the_files_that_are_named_are_read_with_it() -> None:
    assert read_with_named("conf/i.yaml", FILES.__getitem__) == FILES


def test_keys_are_known_or_it_is_known_where_they_are() -> None:
    first, second = parse_identities(FILES, "conf/i.yaml").issuers
    assert isinstance(first.keys, KeySet)
    assert isinstance(second.keys, KeyUrl)
    assert second.keys.authorities == FILES["conf/ca.pem"]
    assert second.keys == parse_identities(FILES, "conf/i.yaml").issuers[1].keys


def test_a_named_file_that_cannot_be_used_is_a_problem_where_it_is_named() -> None:
    broken = FILES | {"conf/keys.json": "{}", "conf/ca.pem": "no certificate"}
    with pytest.raises(Problems) as raised:
        parse_identities(broken, "conf/i.yaml")
    assert [(p.file, p.line, p.column, p.message) for p in raised.value.problems] == [
        (
            "conf/i.yaml",
            2,
            41,
            'conf/keys.json cannot be used: it is not a JWK set: {"keys": [...]}.',
        ),
        ("conf/i.yaml", 3, 63, "conf/ca.pem cannot be used: it holds no certificates in PEM."),
    ]
