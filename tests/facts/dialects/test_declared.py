"""Declared routes: counted as the operator says, and never in the place of our own."""

from typing import Any

import pytest

from gateway.errors import MalformedRequest, MethodNotAllowed, UnknownRoute
from gateway.facts.dialects.declared import DeclaredRoute
from gateway.facts.dialects.port import Answered
from gateway.facts.dialects.registry import DIALECT_NAMES, route_table
from gateway.facts.dialects.route_table import Match, RouteTable
from gateway.facts.estimate import FILE_TOKENS
from gateway.facts.exchange import Ask, Route
from gateway.facts.json_text import dump
from gateway.facts.refusal import Refusal, RefusalKind
from gateway.facts.usage import UNREPORTED, Usage
from tests.facts.dialects.answers import NOT_ASKED, NOW_US, cuts, events, state, watch

API_KEY = [(b"x-api-key", b"sk")]


def table(*routes: Route, dialect: str = "openai") -> RouteTable:
    return route_table([DeclaredRoute(dialect, route) for route in routes])


def found(dialect: str = "openai", *, generates: bool = True, opaque: bool = False) -> Match:
    route = Route("r", "POST", "/v1/rerank", generates=generates, opaque_body=opaque)
    return table(route, dialect=dialect).find("POST", "/v1/rerank", [])


def ask(match: Match, body_bytes: int = 100, path_model: str | None = None, **body: Any) -> Ask:
    return match.dialect.read_ask(match.route, body, body_bytes, path_model)


class TestTable:
    def test_a_declared_route_is_found_in_its_dialect_whoever_asks(self) -> None:
        rerank = Route("rerank", "POST", "/v1/rerank", generates=True)
        match = table(rerank).find("POST", "/v1/rerank", API_KEY)
        assert (match.dialect.name, match.route) == ("openai", rerank)
        assert table(rerank).dialect_for("/v1/rerank", API_KEY).name == "openai"

    def test_an_endpoint_that_is_refused_by_name_is_served_once_it_is_declared(self) -> None:
        speech = Route("speech", "POST", "/v1/audio/speech", generates=False)
        assert table(speech).find("POST", "/v1/audio/speech", []).route is speech
        with pytest.raises(UnknownRoute, match=r"Audio endpoints \(/v1/audio\)"):
            table(speech).find("POST", "/v1/audio/translations", [])

    @pytest.mark.parametrize(
        "path", ["/v1/chat/completions", "/v1/{a}/completions", "/v1/{a}/{b}", "/{a}/{b}/{c}"]
    )
    def test_no_declaration_takes_a_metered_path_away(self, path: str) -> None:
        taken = table(Route("free", "POST", path, generates=False), dialect="anthropic")
        match = taken.find("POST", "/v1/chat/completions", API_KEY)
        assert match.route.name == "chat"
        assert match.dialect.name == "openai"

    def test_another_method_of_our_own_path_can_be_declared(self) -> None:
        stored = table(Route("stored", "GET", "/v1/chat/completions", generates=False))
        assert stored.find("GET", "/v1/chat/completions", []).route.name == "stored"
        with pytest.raises(MethodNotAllowed) as refused:
            stored.find("PUT", "/v1/chat/completions", [])
        assert refused.value.allowed == "POST, GET"

    def test_a_whole_path_comes_before_one_that_varies(self) -> None:
        routes = table(
            Route("any", "GET", "/v1/files/{file}", generates=False),
            Route("one", "GET", "/v1/files/one", generates=False),
        )
        assert routes.find("GET", "/v1/files/one", []).route.name == "one"
        assert routes.find("GET", "/v1/files/two", []).route.name == "any"

    def test_a_model_in_the_path_is_told(self) -> None:
        route = Route("embed", "POST", "/v1/models/{model}:embed", generates=False)
        match = table(route).find("POST", "/v1/models/m-1:embed", [])
        assert match.path_model == "m-1"
        assert ask(match, path_model=match.path_model, model="another").model == "m-1"

    def test_what_is_served_names_what_was_declared(self) -> None:
        with pytest.raises(UnknownRoute, match="POST /v1/rerank"):
            table(Route("rerank", "POST", "/v1/rerank", generates=False)).find("GET", "/x", [])


class TestAsks:
    def test_where_only_requests_count_no_token_is_estimated(self) -> None:
        match = found(generates=False)
        assert ask(match, model="m", input="x" * 400) == Ask(model="m")
        assert ask(match) == Ask(model=None)

    def test_where_usage_is_settled_all_text_is_estimated_and_no_ceiling_is_believed(self) -> None:
        asked = ask(found(), model="m", query="sixteen letters.", max_tokens=1, stream=True)
        assert (asked.model, asked.stream, asked.max_output_tokens) == ("m", True, None)
        assert asked.input_tokens >= 4

    def test_an_image_among_json_has_its_flat_figure(self) -> None:
        part = {"type": "input_image", "image_url": "A" * 100_000}
        assert ask(found(), input=[part]).input_tokens < 2_000

    def test_a_body_that_is_not_read_has_a_flat_figure(self) -> None:
        opaque = found(opaque=True)
        assert ask(opaque, 25_000_000) == Ask(model=None, input_tokens=FILE_TOKENS)
        assert ask(opaque, 0) == Ask(model=None)

    @pytest.mark.parametrize("model", [7, "", ["m"], "m\n", "m" * 300])
    def test_a_model_that_is_no_name_is_refused(self, model: object) -> None:
        with pytest.raises(MalformedRequest):
            ask(found(generates=False), model=model)

    def test_the_very_bytes_go_on(self) -> None:
        match = found()
        assert match.dialect.amend(match.route, {"stream": True}, NOT_ASKED) is None


OPENAI_ANSWERS = [
    ({"usage": {"input_tokens": 5, "output_tokens": 7}}, Usage(5, 7)),
    ({"usage": {"prompt_tokens": 5, "completion_tokens": 7}}, Usage(5, 7)),
    ({"usage": {"prompt_tokens": 5, "total_tokens": 5}}, Usage(5, None)),
    ({"usage": {"type": "duration", "seconds": 9}}, UNREPORTED),
    ({"usage": {"input_tokens": -5, "prompt_tokens": 6}}, Usage(6, None)),
    ({"usage": [7]}, UNREPORTED),
    (
        {
            "usage": {
                "input_tokens": 5,
                "output_tokens": 7,
                "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 1},
                "output_tokens_details": {"reasoning_tokens": 3},
            }
        },
        Usage(5, 7, 2, 1, 3),
    ),
]


class TestAnswers:
    @pytest.mark.parametrize(("body", "usage"), OPENAI_ANSWERS)
    def test_usage_is_read_under_either_name(self, body: dict[str, Any], usage: Usage) -> None:
        match = found()
        answered = match.dialect.read_answer(match.route, 200, dump(body))
        assert answered.usage == usage
        assert answered.complete

    def test_a_transcription_is_text(self) -> None:
        match = found()
        body = dump({"text": "abcdefgh", "usage": {"input_tokens": 5, "output_tokens": 7}})
        assert match.dialect.read_answer(match.route, 200, body).output_tokens_seen == 2

    @pytest.mark.parametrize(
        "last",
        [
            {"type": "transcript.text.done", "usage": {"input_tokens": 5, "output_tokens": 7}},
            {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 7}},
            {"type": "x", "response": {"usage": {"input_tokens": 5, "output_tokens": 7}}},
        ],
    )
    def test_usage_in_any_event_is_read_however_the_stream_is_cut(
        self, last: dict[str, Any]
    ) -> None:
        match = found()
        stream = events({"type": "transcript.text.delta", "delta": "abcdefgh"}, last, "[DONE]")
        known = Answered(Usage(5, 7), 2, complete=True)
        for pieces in cuts(stream):
            assert watch(match.dialect, match.route, NOT_ASKED, *pieces) == (stream, known)

    @pytest.mark.parametrize(
        "error", [{"error": {"message": "x"}}, {"type": "error", "message": "x"}]
    )
    def test_an_error_in_the_stream_is_a_failure(self, error: dict[str, Any]) -> None:
        match = found()
        assert watch(match.dialect, match.route, NOT_ASKED, events(error))[1].failed

    @pytest.mark.parametrize(
        ("dialect", "body"),
        [
            ("anthropic", {"usage": {"input_tokens": 5, "output_tokens": 7}}),
            (
                "gemini",
                {
                    "candidates": [{"finishReason": "STOP"}],
                    "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 7},
                },
            ),
        ],
    )
    def test_each_dialect_reads_usage_where_it_has_it(
        self, dialect: str, body: dict[str, Any]
    ) -> None:
        match = found(dialect)
        answered = match.dialect.read_answer(match.route, 200, dump(body))
        assert answered.usage == Usage(5, 7)


@pytest.mark.parametrize("dialect", DIALECT_NAMES)
def test_errors_and_headers_are_those_of_the_dialect(dialect: str) -> None:
    declared = found(dialect).dialect
    own = table().dialect_for(
        "/x", {"anthropic": API_KEY, "gemini": [(b"x-goog-api-key", b"k")]}.get(dialect, [])
    )
    assert declared.name == own.name == dialect
    refusal = Refusal(RefusalKind.RATE, "Later.", retry_after_us=5_000_000)
    quotas = [state()]
    assert declared.refuse(refusal, quotas, "r", NOW_US) == own.refuse(refusal, quotas, "r", NOW_US)
    assert declared.quota_headers(quotas, NOW_US) == own.quota_headers(quotas, NOW_US)
    assert declared.request_id_header() == own.request_id_header()
    assert declared.stream_error(refusal, "r") == own.stream_error(refusal, "r")
    assert declared.credential_headers("k") == own.credential_headers("k")
