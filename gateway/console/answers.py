"""Answers of the admin port in JSON, one line each."""

from collections.abc import Mapping

import msgspec
from starlette.responses import Response


def json_answer(
    value: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    body = msgspec.json.encode(value) + b"\n"
    return Response(body, status, headers, media_type="application/json")
