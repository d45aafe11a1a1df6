"""An issuer of signed tokens, with keys made for the run. Nothing of it is kept."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

from gateway.proxy.asgi import Receive, Scope, Send

NOW_S = 1_780_000_000
NOW_US = NOW_S * 1_000_000
ISSUER = "https://login.example.com/"
AUDIENCE = "gauger"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

_CURVES: Mapping[str, ec.EllipticCurve] = {
    "ES256": ec.SECP256R1(),
    "ES384": ec.SECP384R1(),
    "ES512": ec.SECP521R1(),
}


@cache
def private_key(algorithm: str, name: str = "first", *, bits: int = 2048) -> PrivateKey:
    """Always the same for the same arguments: making one takes a tenth of a second."""
    assert name
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm in _CURVES:
        return ec.generate_private_key(_CURVES[algorithm])
    return rsa.generate_private_key(65537, bits)


def public_jwk(key: PrivateKey, algorithm: str, **more: Any) -> dict[str, Any]:
    """`more` overrides, or deletes with None."""
    writer: Any = get_default_algorithms()[algorithm]
    written: dict[str, Any] = writer.to_jwk(key.public_key(), as_dict=True)
    written.pop("key_ops", None)
    return {name: value for name, value in (written | more).items() if value is not None}


def key_set(*keys: Mapping[str, Any]) -> bytes:
    return json.dumps({"keys": keys}).encode()


@dataclass(frozen=True)
class Signer:
    """One key of an issuer."""

    algorithm: str = "RS256"
    key_id: str | None = "first"
    name: str = "first"
    """Which key; another name is another key."""
    header: Mapping[str, Any] = field(default_factory=dict)

    @property
    def jwk(self) -> dict[str, Any]:
        return public_jwk(
            private_key(self.algorithm, self.name), self.algorithm, kid=self.key_id, use="sig"
        )

    def token(self, **claims: Any) -> str:
        """A good one, but for the `claims`; None leaves one out."""
        given = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "acme",
            "exp": NOW_S + 3600,
        } | claims
        payload = json.dumps({name: value for name, value in given.items() if value is not None})
        return jwt.PyJWS().encode(
            payload.encode(),
            private_key(self.algorithm, self.name),
            self.algorithm,
            {
                name: value
                for name, value in ({"kid": self.key_id} | dict(self.header)).items()
                if value is not None
            },
        )


@dataclass
class Published:
    """An issuer's keys behind a URL."""

    signers: tuple[Signer, ...]
    status: int = 200
    asked: int = 0
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        self.may_answer.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["path"] == "/jwks"
        await receive()
        async with self.news:
            self.asked += 1
            self.news.notify_all()
        await self.may_answer.wait()
        body = key_set(*(signer.jwk for signer in self.signers))
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": body})

    async def asked_times(self, count: int) -> None:
        async with self.news:
            await self.news.wait_for(lambda: self.asked >= count)
