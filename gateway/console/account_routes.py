"""`GET /accounts/{id}` and what changes one: block, unblock, reset, grant."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.console.accounts import AccountDesk, Mistake
from gateway.console.answers import json_answer
from gateway.console.changing import reason_to_refuse
from gateway.console.token import operator
from gateway.errors import StoreUnavailable

LARGEST_BODY_BYTES = 16_384

_CODE = r"^[a-z][a-z0-9_]{0,63}$"
_Why = Annotated[str, msgspec.Meta(max_length=500)]
_Seconds = Annotated[int, msgspec.Meta(ge=1, le=366 * 86_400)]


class _Block(msgspec.Struct, forbid_unknown_fields=True):
    why: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    code: Annotated[str, msgspec.Meta(pattern=_CODE)] = "account_suspended"
    for_s: _Seconds | None = None


class _Unblock(msgspec.Struct, forbid_unknown_fields=True):
    why: _Why = ""


class _Reset(msgspec.Struct, forbid_unknown_fields=True):
    why: _Why = ""
    quota: str | None = None


class _Grant(msgspec.Struct, forbid_unknown_fields=True):
    quota: str
    units: Annotated[int, msgspec.Meta(ge=1, le=1 << 40)]
    for_s: _Seconds
    unit: str | None = None
    why: _Why = ""


def account_routes(desk: AccountDesk) -> list[Route]:
    """An account's name may hold a slash; written as %2F it is the same."""

    async def show(request: Request) -> Response:
        return await _answered(lambda: desk.show(request.path_params["account"]), _untold)

    deeds: dict[str, tuple[type[msgspec.Struct], Callable[..., Awaitable[dict[str, Any]]]]] = {
        "block": (_Block, desk.block),
        "unblock": (_Unblock, desk.unblock),
        "reset": (_Reset, desk.reset),
        "grant": (_Grant, desk.grant),
    }

    def route(name: str) -> Route:
        form, deed = deeds[name]

        async def do(request: Request) -> Response:
            reason = reason_to_refuse(request)
            if reason is not None:
                return json_answer({"error": reason}, 403)
            try:
                asked = msgspec.json.decode(await read_body(request), type=form)
            except msgspec.DecodeError as error:
                return json_answer({"error": f"{error}."}, 400)
            account, who = request.path_params["account"], operator(request)

            def tell(result: str, problem: str) -> None:
                desk.audit.write(who, name, {"account": account, "problem": problem}, result=result)

            return await _answered(
                lambda: deed(account, who, **msgspec.structs.asdict(asked)), tell
            )

        return Route(f"/accounts/{{account:path}}/{name}", do, methods=["POST"])

    return [*(route(name) for name in deeds), Route("/accounts/{account:path}", show)]


async def _answered(
    ask: Callable[[], Awaitable[dict[str, Any]]], tell: Callable[[str, str], None]
) -> Response:
    """`tell` hears what became of a deed that was not done, and why."""
    try:
        return json_answer(await ask())
    except Mistake as mistake:
        tell("refused", str(mistake))
        return json_answer({"error": str(mistake)}, 400)
    except StoreUnavailable as error:
        tell("failed", error.kind)
        return json_answer(
            {"error": f"{error} Nothing may have been changed; look with show."}, 503
        )


def _untold(result: str, problem: str) -> None:
    """To look is no deed."""


async def read_body(request: Request) -> bytes:
    """A small one. Raises `msgspec.DecodeError` for a large one."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_BODY_BYTES:
            raise msgspec.DecodeError(f"More than {LARGEST_BODY_BYTES:,} bytes")
    return body or b"{}"
