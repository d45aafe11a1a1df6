"""`GET /fleets`, one of them, and what is done to it by hand: contain, release, let-go."""

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.behaviour.board import Hand
from gateway.console.account_routes import read_body
from gateway.console.accounts import Mistake
from gateway.console.answers import json_answer
from gateway.console.changing import reason_to_refuse
from gateway.console.fleets import FleetDesk
from gateway.console.token import operator

_NOT_FOUND = 404

_DEEDS = {"contain": Hand.CONTAIN, "release": Hand.RELEASE, "let-go": None}


class _Why(msgspec.Struct, forbid_unknown_fields=True):
    why: Annotated[str, msgspec.Meta(max_length=500)] = ""


def fleet_routes(desk: FleetDesk) -> list[Route]:
    async def every(_: Request) -> Response:
        return json_answer(desk.all())

    async def show(request: Request) -> Response:
        try:
            return json_answer(desk.show(request.path_params["fleet"]))
        except Mistake as mistake:
            return json_answer({"error": str(mistake)}, _NOT_FOUND)

    def route(name: str) -> Route:
        async def do(request: Request) -> Response:
            reason = reason_to_refuse(request)
            if reason is not None:
                return json_answer({"error": reason}, 403)
            try:
                asked = msgspec.json.decode(await read_body(request), type=_Why)
                told = desk.by_hand(
                    request.path_params["fleet"], operator(request), _DEEDS[name], why=asked.why
                )
            except msgspec.DecodeError as error:
                return json_answer({"error": f"{error}."}, 400)
            except Mistake as mistake:
                return json_answer({"error": str(mistake)}, _NOT_FOUND)
            return json_answer(told)

        return Route(f"/fleets/{{fleet}}/{name}", do, methods=["POST"])

    return [
        Route("/fleets", every),
        *(route(name) for name in _DEEDS),
        Route("/fleets/{fleet}", show),
    ]
