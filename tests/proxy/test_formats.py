"""Each format through the whole gateway: what is forwarded, and what is charged in the end."""

import json
from typing import Any

import pytest

from gateway.facts.dialects.declared import DeclaredRoute
from gateway.facts.dialects.port import Headers
from gateway.facts.exchange import Route
from gateway.policy.quota import Policies, Unit
from gateway.proxy.edge import EdgeLimits
from tests.proxy.stage import Caller, answering, piece, stage, streaming

INPUT, OUTPUT = Unit.INPUT_TOKENS, Unit.OUTPUT_TOKENS
MULTIPART: Headers = [(b"content-type", b"multipart/form-data; boundary=x")]
FORM = b'--x\r\ncontent-disposition: form-data; name="file"\r\n\r\n\xff\x00\r\n--x--\r\n'


def event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


COMPLETED = {"id": "r1", "status": "completed", "usage": {"input_tokens": 7, "output_tokens": 3}}
RESPONSES: dict[str, Any] = {
    "path": "/v1/responses",
    "body": {"model": "m", "input": "How far is the moon?"},
}
STREAMED: dict[str, Any] = {
    "path": "/v1/responses",
    "body": {"model": "m", "input": "How far?", "stream": True},
}
EMBEDDINGS: dict[str, Any] = {"path": "/v1/embeddings", "body": {"model": "m", "input": ["a", "b"]}}
COMPLETIONS: dict[str, Any] = {
    "path": "/v1/completions",
    "body": {"model": "m", "prompt": ["a", "b"], "n": 2},
}


@pytest.mark.parametrize(
    ("asked", "answer", "read", "written"),
    [
        (RESPONSES, COMPLETED, 7, 3),
        (RESPONSES, {"usage": {"input_tokens": -7, "output_tokens": 3}}, 9, 3),
        (EMBEDDINGS, {"data": [], "usage": {"prompt_tokens": 4, "total_tokens": 4}}, 4, None),
        (EMBEDDINGS, {"data": []}, 2, None),
        (COMPLETIONS, {"usage": {"prompt_tokens": 5, "completion_tokens": 9}}, 5, 9),
    ],
)
async def test_a_plain_answers_usage_is_charged(
    asked: dict[str, Any], answer: dict[str, Any], read: int, written: int | None
) -> None:
    on = stage(answering(json.dumps(answer).encode()))
    caller = await Caller(on.gateway, **asked).run()
    assert (caller.status, json.loads(caller.body)) == (200, answer)
    assert on.model.bodies == [json.dumps(asked["body"]).encode()]
    charged = await on.settled()
    assert (charged[INPUT], charged.get(OUTPUT)) == (read, written)


async def test_a_stream_of_responses_is_charged_by_its_last_event() -> None:
    pieces = [
        event("response.created", response={"id": "r1"}),
        event("response.output_text.delta", delta="Far."),
        event("response.completed", response=COMPLETED),
    ]
    on = stage(streaming(*pieces))
    caller = await Caller(on.gateway, **STREAMED).run()
    assert caller.body == b"".join(pieces)
    charged = await on.settled()
    assert (charged[INPUT], charged[OUTPUT]) == (7, 3)
    assert on.finished.finish_reasons == ("completed",)


async def test_a_stream_of_responses_that_breaks_off_ends_in_its_own_form_of_error() -> None:
    async def break_off() -> None:
        raise OSError("gone")

    on = stage(streaming(event("response.output_text.delta", delta="12345678"), then=break_off))
    caller = await Caller(on.gateway, **STREAMED).run()
    last = caller.body.split(b"\n\n")[-2]
    assert last.startswith(b"event: error\n")
    assert json.loads(last.partition(b"data: ")[2])["error"]["code"]
    assert (await on.settled())[OUTPUT] == 2


async def test_vectors_that_broke_off_are_no_output() -> None:
    model = answering()

    async def half(send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await piece(send, b'{"data":[' + b"0.25," * 9_000)

    model._script = half
    on = stage(model)
    await Caller(on.gateway, **EMBEDDINGS).run()
    charged = await on.settled()
    assert (charged[INPUT], charged.get(OUTPUT)) == (2, None)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({**RESPONSES, "body": {**RESPONSES["body"], "background": True}}, "background"),
        ({**EMBEDDINGS, "body": {"model": "m", "input": [1, "a"]}}, "input"),
        ({**COMPLETIONS, "body": {"model": "m", "prompt": "a", "best_of": -1}}, "best_of"),
    ],
)
async def test_what_cannot_be_metered_is_refused_by_its_field_and_not_forwarded(
    asked: dict[str, Any], field: str
) -> None:
    on = stage(answering())
    caller = await Caller(on.gateway, **asked).run()
    assert caller.status == 400
    assert json.loads(caller.body)["error"]["param"] == field
    assert on.model.scopes == []
    assert on.store.reserved == []


async def test_one_model_is_asked_for_by_the_very_path_that_came() -> None:
    on = stage(answering(b"{}"))
    path = "/v1/models/ft:gpt-4.1:org::a1"
    caller = await Caller(on.gateway, method="GET", path=path, body=b"").run()
    assert caller.status == 200
    assert (on.model.scopes[0]["path"], on.model.scopes[0]["raw_path"]) == (path, path.encode())
    await on.rest()
    assert on.finished.path == path
    assert on.finished.route is not None
    assert on.finished.route.path == "/v1/models/{model}"
    assert on.finished.ask is not None
    assert on.finished.ask.model == "ft:gpt-4.1:org::a1"


async def test_an_endpoint_that_is_not_metered_is_named_in_a_404() -> None:
    on = stage(answering())
    caller = await Caller(on.gateway, path="/v1/audio/transcriptions", body=FORM).run()
    assert caller.status == 404
    assert "(/v1/audio) are not metered here" in json.loads(caller.body)["error"]["message"]
    assert on.model.scopes == []


def transcriptions(*, generates: bool) -> tuple[DeclaredRoute, ...]:
    path = "/v1/audio/transcriptions"
    route = Route("transcriptions", "POST", path, generates=generates, opaque_body=True)
    return (DeclaredRoute("openai", route),)


async def test_a_declared_form_passes_byte_for_byte_with_its_content_type() -> None:
    on = stage(answering(b"{}"), routes=transcriptions(generates=False))
    caller = await Caller(
        on.gateway, path="/v1/audio/transcriptions", body=FORM, more_headers=MULTIPART
    ).run()
    assert caller.status == 200
    assert on.model.bodies == [FORM]
    assert MULTIPART[0] in on.model.scopes[0]["headers"]
    assert await on.settled() == {Unit.REQUESTS: 1, Unit.CONCURRENT: 0}
    assert on.finished.route is not None
    assert on.finished.route.name == "transcriptions"


async def test_a_declared_routes_usage_is_charged_where_the_answer_reports_it() -> None:
    answer = b'{"text":"Far.","usage":{"type":"tokens","input_tokens":14,"output_tokens":45}}'
    on = stage(answering(answer), routes=transcriptions(generates=True))
    await Caller(
        on.gateway, path="/v1/audio/transcriptions", body=FORM, more_headers=MULTIPART
    ).run()
    charged = await on.settled()
    assert (charged[INPUT], charged[OUTPUT]) == (14, 45)


async def test_what_is_declared_is_served_from_the_reload_on_and_no_longer_after_the_next() -> None:
    on = stage(answering(b"{}"))
    audio: dict[str, Any] = {
        "path": "/v1/audio/transcriptions",
        "body": FORM,
        "more_headers": MULTIPART,
    }
    statuses: list[int | None] = []
    for routes in ((), transcriptions(generates=False), ()):
        on.rules.put_in_force(Policies(on.rules.policies.quotas, routes=routes))
        statuses.append((await Caller(on.gateway, **audio).run()).status)
    assert statuses == [404, 200, 404]
    await on.rest()


async def test_a_declared_form_is_bounded_all_the_same() -> None:
    limits = EdgeLimits(body_bytes=len(FORM) - 1)
    on = stage(answering(b"{}"), routes=transcriptions(generates=False), limits=limits)
    caller = await Caller(
        on.gateway, path="/v1/audio/transcriptions", body=FORM, more_headers=MULTIPART
    ).run()
    assert caller.status == 413
    assert on.model.scopes == []


async def test_a_declared_route_of_json_takes_no_form() -> None:
    route = Route("rerank", "POST", "/v1/rerank", generates=False)
    on = stage(answering(b"{}"), routes=(DeclaredRoute("openai", route),))
    caller = await Caller(on.gateway, path="/v1/rerank", body=FORM, more_headers=MULTIPART).run()
    assert caller.status == 400
    assert on.model.scopes == []


async def test_a_declared_method_without_a_body_takes_none() -> None:
    route = Route("files", "DELETE", "/v1/files/{file}", generates=False)
    on = stage(answering(b"{}"), routes=(DeclaredRoute("openai", route),))
    path = "/v1/files/file-1"
    gone = await Caller(on.gateway, method="DELETE", path=path, body=b"").run()
    assert gone.status == 200
    assert (on.model.scopes[0]["method"], on.model.scopes[0]["path"]) == ("DELETE", path)
    with_body = await Caller(on.gateway, method="DELETE", path=path, body=b"{}").run()
    assert with_body.status == 400
    await on.rest()


async def test_other_letters_of_a_counted_field_are_refused_and_not_forwarded() -> None:
    on = stage(answering(b"{}"))
    body = {"model": "m", "input": "a", "Max_Output_Tokens": 9}
    caller = await Caller(on.gateway, path="/v1/responses", body=body).run()
    assert (caller.status, on.model.bodies) == (400, [])


async def test_what_strict_json_rejects_is_charged_as_reported() -> None:
    told = b'\xef\xbb\xbf{"logprobs": NaN, "usage": {"input_tokens": 7, "output_tokens": 3}} {}'
    on = stage(answering(told))
    caller = await Caller(on.gateway, **RESPONSES).run()
    assert caller.body == told
    charged = await on.settled()
    assert (charged[INPUT], charged[OUTPUT]) == (7, 3)


async def test_an_answer_that_nobody_can_read_is_charged_by_its_bytes() -> None:
    on = stage(answering(b"no JSON at all, as text."))
    await Caller(on.gateway, **RESPONSES).run()
    charged = await on.settled()
    assert charged[OUTPUT] == 6
