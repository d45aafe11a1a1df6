"""The identities file: whom gauger believes about who a caller is, besides the accounts file.

    unknown_keys: refuse
    jwt:
      - issuer: https://login.example.com/
        audience: gauger
        jwks_url: https://login.example.com/.well-known/jwks.json
        plan: plan
    front_proxy:
      addresses: [10.0.0.0/8]
      account_header: x-account-id

It holds no secret: public keys only, and rules.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, model_validator

from gateway.identity.spelling import (
    account_prefix,
    algorithm,
    header_name,
    network,
    not_empty,
    one_or_more,
    url,
)
from gateway.source.model import Written, validate
from gateway.source.problems import Problem, Problems, first_of
from gateway.source.yaml_text import Document, read

MAX_LEEWAY_S = 300
"""Clocks that are further apart need a mend, not a leeway."""


Claim = Annotated[str, Field(min_length=1)]
Header = Annotated[str, AfterValidator(header_name)]


class IssuerEntry(Written):
    """One issuer of signed tokens, and which of their claims mean what."""

    issuer: Annotated[Claim, Field(description="who issues the tokens: their `iss`, exactly.")]
    audience: Annotated[
        tuple[str, ...],
        BeforeValidator(one_or_more),
        AfterValidator(not_empty),
        Field(description="for whom they are: one of these must be in their `aud`."),
    ]
    algorithms: Annotated[
        tuple[Annotated[str, AfterValidator(algorithm)], ...],
        AfterValidator(not_empty),
        Field(description="how they may be signed."),
    ] = ("RS256", "ES256", "EdDSA")
    jwks_file: Annotated[str | None, Field(description="a file with the issuer's keys.")] = None
    jwks_url: Annotated[
        Annotated[str, AfterValidator(url)] | None,
        Field(description="where the issuer publishes its keys."),
    ] = None
    ca_file: Annotated[
        str | None, Field(description="authorities for the URL, in place of the public ones.")
    ] = None
    leeway_seconds: Annotated[
        StrictInt, Field(description="how far clocks may be apart.", ge=0, le=MAX_LEEWAY_S)
    ] = 30
    prefix: Annotated[
        str,
        AfterValidator(account_prefix),
        Field(description="begins the names of accounts that this issuer names."),
    ] = ""
    account: Annotated[Claim, Field(description="the claim that names the account.")] = "sub"
    plan: Annotated[Claim | None, Field(description="the claim that is the plan.")] = None
    organization: Annotated[
        Claim | None, Field(description="the claim that is the organization.")
    ] = None
    created_at: Annotated[
        Claim | None, Field(description="the claim with the account's opening, in seconds.")
    ] = None
    attributes: Annotated[
        dict[str, Claim],
        Field(default_factory=dict, description="attributes, by the claims that hold them."),
    ]

    @model_validator(mode="after")
    def _keys_from_one_place(self) -> "IssuerEntry":
        if (self.jwks_file is None) == (self.jwks_url is None):
            raise ValueError('An issuer has either "jwks_file" or "jwks_url". Write one of them.')
        if self.ca_file is not None and self.jwks_url is None:
            raise ValueError('"ca_file" is for "jwks_url" alone. Leave it out.')
        return self


class CertificateEntry(Written):
    """How the proxy says which client certificate it verified."""

    header: Annotated[Header, Field(description="the header in which the proxy says so.")]
    by: Annotated[
        Literal["subject", "uri", "hash", "whole"],
        Field(
            description="which part of Envoy's x-forwarded-client-cert names the caller; whole: "
            "the header is the name, as nginx's $ssl_client_s_dn."
        ),
    ]
    verified_header: Annotated[
        Header | None,
        Field(description="must say SUCCESS, as nginx's $ssl_client_verify does."),
    ] = None
    unknown: Annotated[
        Literal["refuse", "admit"],
        Field(description="a certificate that no account lists: refused, or its own account."),
    ] = "refuse"


class FrontProxyEntry(Written):
    """The proxies in front, and what they may say."""

    addresses: Annotated[
        tuple[Annotated[str, AfterValidator(network)], ...],
        BeforeValidator(one_or_more),
        AfterValidator(not_empty),
        Field(description="the addresses from which the proxies connect."),
    ]
    account_header: Annotated[
        Header | None, Field(description="the header that names the account.")
    ] = None
    plan_header: Annotated[Header | None, Field(description="the header with its plan.")] = None
    organization_header: Annotated[
        Header | None, Field(description="the header with its organization.")
    ] = None
    certificate: Annotated[
        CertificateEntry | None, Field(description="how client certificates are told.")
    ] = None

    @model_validator(mode="after")
    def _headers_have_one_meaning(self) -> "FrontProxyEntry":
        if self.account_header is None and (self.plan_header or self.organization_header):
            raise ValueError('A plan or organization without an account. Add "account_header".')
        headers = list(self.headers())
        if len(set(headers)) < len(headers):
            raise ValueError("Two of these headers are the same one. Name different ones.")
        return self

    def headers(self) -> Iterator[str]:
        """All that are believed if they come from the proxies, and from nobody else."""
        told = self.certificate
        named = [self.account_header, self.plan_header, self.organization_header]
        named += [told.header, told.verified_header] if told is not None else []
        return (name for name in named if name is not None)


class IdentitiesFile(Written):
    unknown_keys: Annotated[
        Literal["refuse", "admit"],
        Field(description="a key that no account lists: refused, or an account of its own."),
    ] = "refuse"
    jwt: Annotated[tuple[IssuerEntry, ...], Field(description="issuers of signed tokens.")] = ()
    front_proxy: Annotated[
        FrontProxyEntry | None, Field(description="the proxies in front, and what they may say.")
    ] = None


def parse_document(text: str, name: str) -> tuple[IdentitiesFile, Document]:
    """The file, and where in it everything stands. Raises `Problems`: all of the file.

    `name` is the file's path, to which the paths in it are relative.
    """
    document = read(name, text)
    problems: list[Problem] = []
    try:
        file = validate(IdentitiesFile, document)
    except Problems as raised:
        problems += raised.problems
    else:
        problems += _confusable(file, document)
        if not problems:
            return _resolved(file, Path(name).parent), document
    raise Problems(first_of(problems))


def _confusable(file: IdentitiesFile, document: Document) -> Iterator[Problem]:
    """A subject is one only within its issuer (OpenID Connect Core, 2)."""
    for key, told in _TAKEN.items():
        first_lines: dict[str, int] = {}
        for at, entry in enumerate(file.jwt):
            place = document.value_place(("jwt", at, key))
            value = str(getattr(entry, key))
            if value in first_lines:
                yield document.source.problem(place, told.format(first_lines[value]))
            first_lines.setdefault(value, place.line + 1)


_TAKEN = {
    "issuer": "This issuer is there already, in line {}. Keep one.",
    "prefix": "Two issuers may mean different people by one name; the other is in line {}. Give "
    'each a "prefix" of its own, such as "corp/".',
}


def _resolved(file: IdentitiesFile, directory: Path) -> IdentitiesFile:
    def beside(path: str | None) -> str | None:
        return None if path is None else str(directory / path)

    issuers = tuple(
        entry.model_copy(
            update={"jwks_file": beside(entry.jwks_file), "ca_file": beside(entry.ca_file)}
        )
        for entry in file.jwt
    )
    return file.model_copy(update={"jwt": issuers})
