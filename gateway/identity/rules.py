"""The identities file together with the files that it names: all that is needed, checked aside."""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.identity.document import FrontProxyEntry, IssuerEntry, parse_document
from gateway.identity.key_fetch import tls_context
from gateway.identity.key_set import KeySet, UnusableKeys, parse_key_set
from gateway.source.problems import Problem, Problems
from gateway.source.yaml_text import Document


@dataclass(frozen=True, slots=True)
class KeyUrl:
    """Where keys are published. Two are one if nothing differs that matters on the way."""

    url: str
    authorities: str | None
    """PEM; None: the public ones."""
    context: ssl.SSLContext = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class IssuerRules:
    entry: IssuerEntry
    keys: KeySet | KeyUrl


@dataclass(frozen=True, slots=True)
class IdentityRules:
    issuers: tuple[IssuerRules, ...]
    front_proxy: FrontProxyEntry | None
    admits_unknown_keys: bool


def read_with_named(name: str, read: Callable[[str], str]) -> dict[str, str]:
    """The texts of the file and of those that it names, by path, so that a change of any is seen.

    Raises `Problems`, and what `read` raises.
    """
    texts = {name: read(name)}
    file, _ = parse_document(texts[name], name)
    named = {path for entry in file.jwt for path in (entry.jwks_file, entry.ca_file) if path}
    return texts | {path: read(path) for path in sorted(named)}


def parse_identities(texts: Mapping[str, str], name: str) -> IdentityRules:
    """`texts` as `read_with_named` gives them. Raises `Problems`."""
    file, document = parse_document(texts[name], name)
    issuers: list[IssuerRules] = []
    problems: list[Problem] = []
    for at, entry in enumerate(file.jwt):
        try:
            issuers.append(IssuerRules(entry, _keys(entry, texts)))
        except UnusableKeys as error:
            problems.append(_unusable(document, at, entry, error))
    if problems:
        raise Problems(problems)
    return IdentityRules(tuple(issuers), file.front_proxy, file.unknown_keys == "admit")


def _keys(entry: IssuerEntry, texts: Mapping[str, str]) -> KeySet | KeyUrl:
    if entry.jwks_url is None:
        return parse_key_set(texts[entry.jwks_file or ""].encode())
    authorities = texts[entry.ca_file] if entry.ca_file is not None else None
    return KeyUrl(entry.jwks_url, authorities, tls_context(entry.jwks_url, authorities))


def _unusable(document: Document, at: int, entry: IssuerEntry, error: UnusableKeys) -> Problem:
    path, key = (entry.ca_file, "ca_file") if entry.ca_file else (entry.jwks_file, "jwks_file")
    place = document.value_place(("jwt", at, key))
    return document.source.problem(place, f"{path} cannot be used: {error}.")
