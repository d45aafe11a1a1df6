"""The admin token: who shows it may look, and, in the one form that no page can send, change.

`Authorization: Bearer TOKEN` is for commands and scrapers. A browser asks for a password and sends
`Basic`, with any name: so the status page can be looked at, and nothing is kept in a cookie. A page
on another site can make a browser send that again, so it changes nothing (`changing`).
"""

import base64
import binascii
import hmac
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.console.answers import json_answer
from gateway.console.audit import AuditLog, Operator
from gateway.facts.principal import Secret
from gateway.guessing import SECOND_US, Guesses

OPEN_TO_ALL = frozenset({"/healthz", "/readyz"})
"""A probe has no token."""

_FINGERPRINT_DIGITS = 8
_UNAUTHORIZED, _TOO_MANY = 401, 429
_CHALLENGES = 'Bearer realm="gauger", Basic realm="gauger", charset="UTF-8"'
_STATE = "gauger"


class Form(StrEnum):
    """How the token was shown."""

    BEARER = "bearer"
    BASIC = "basic"


@dataclass(frozen=True, slots=True)
class AdminToken:
    """What the token's keyed hash is; the token itself is not kept."""

    secret: Secret
    digest: str = field(repr=False)
    fingerprint: str
    """8 hexadecimal digits, the same on all replicas that have the same secret."""
    guesses: Guesses
    """What was shown in its place."""

    @classmethod
    def of(cls, secret: Secret, token: bytes, guesses: Guesses) -> Self:
        text = token.decode("ascii")
        fingerprint = secret.pseudonym(text)[:_FINGERPRINT_DIGITS]
        return cls(secret, secret.credential_hash(text), fingerprint, guesses)

    def shown_in(self, header: str) -> Form | None:
        """Of an `Authorization`, the form in which this very token is in it."""
        scheme, _, rest = header.partition(" ")
        match scheme.lower():
            case "bearer":
                return Form.BEARER if self._fits(rest.strip()) else None
            case "basic":
                return Form.BASIC if self._fits(_password(rest.strip())) else None
            case _:
                return None

    def _fits(self, shown: str) -> bool:
        """In constant time: hashes of one length are compared, under a key nobody knows."""
        return hmac.compare_digest(self.secret.credential_hash(shown), self.digest)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the request has proved, for who handles it."""

    form: Form
    fingerprint: str


class TokenRequired:
    """Lets pass who shows the token; of others each failure is counted and told."""

    def __init__(self, app: ASGIApp, token: AdminToken, audit: AuditLog) -> None:
        self._app = app
        self._token = token
        self._audit = audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in OPEN_TO_ALL:
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        headers = request.headers.getlist("authorization")
        form = self._token.shown_in(headers[0]) if len(headers) == 1 else None
        if form is None:
            await self._refused(request, nothing=not headers)(scope, receive, send)
            return
        proved = {_STATE: Shown(form, self._token.fingerprint)}
        await self._app({**scope, "state": {**scope.get("state", {}), **proved}}, receive, send)

    def _refused(self, request: Request, *, nothing: bool) -> Response:
        """A browser shows nothing at first, and is asked; that is no guess."""
        if nothing:
            return _unauthorized("The admin token is asked for here")
        who = operator(request)
        wait_us = self._token.guesses.failed(who.address)
        if wait_us is not None:
            return json_answer(
                {"error": "Too many wrong admin tokens came from this address."},
                _TOO_MANY,
                {"retry-after": str(wait_us // SECOND_US)},
            )
        asked = {"asked": f"{request.method} {_path(request)}"}
        self._audit.write(who, "token", asked, result="refused")
        return _unauthorized("This is not the admin token")


def operator(request: Request) -> Operator:
    shown = shown_by(request)
    address = request.client.host if request.client else "unknown"
    return Operator(address, shown.fingerprint if shown else None)


def shown_by(request: Request) -> Shown | None:
    """None where no token is asked for."""
    found = request.scope.get("state", {}).get(_STATE)
    return found if isinstance(found, Shown) else None


def _unauthorized(what: str) -> Response:
    told = {"error": f"{what}: Authorization: Bearer TOKEN; a browser sends it as a password."}
    return json_answer(told, _UNAUTHORIZED, {"www-authenticate": _CHALLENGES})


def _password(encoded: str) -> str:
    """What stands behind the colon (RFC 7617); nothing if it cannot be read."""
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def _path(request: Request) -> str:
    """Only of routes that there are: a token may have been put into the address."""
    first = request.url.path.split("/")[1]
    return f"/{first}" if first in ("", "decisions", "metrics", "reload", "accounts") else "/?"
