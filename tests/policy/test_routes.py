"""Declared routes: what may be written, and what is already gauger's own."""

import pytest

from gateway.facts.dialects.declared import DeclaredRoute
from gateway.facts.exchange import Route, RouteName
from gateway.policy.parse import ROUTES_ALONE, inspect, load
from gateway.policy.routes import RouteRule
from gateway.source.problems import Problems

RULE = "quotas: [{id: a, why: b, limit: 9/minute}]\n"


def declared(*routes: str) -> tuple[DeclaredRoute, ...]:
    return load({"a.yaml": RULE + "routes:\n" + "".join(f"- {{{r}}}\n" for r in routes)}).routes


def problem(*routes: str) -> str:
    with pytest.raises(Problems) as raised:
        declared(*routes)
    assert len(raised.value.problems) == 1
    return str(raised.value.problems[0])


def test_the_least_declaration_is_a_post_of_json_in_openais_dialect() -> None:
    assert declared("path: /v1/rerank, name: rerank, meter: requests") == (
        DeclaredRoute("openai", Route("rerank", "POST", "/v1/rerank", generates=False)),
    )


def test_everything_that_can_be_declared() -> None:
    assert declared(
        'path: "/v1beta/{model}/parts/{part}:embed", method: PUT, dialect: gemini, '
        "name: embed_parts-2, meter: usage, body: opaque"
    ) == (
        DeclaredRoute(
            "gemini",
            Route(
                "embed_parts-2",
                "PUT",
                "/v1beta/{model}/parts/{part}:embed",
                generates=True,
                opaque_body=True,
            ),
        ),
    )


def test_routes_may_share_a_name_and_differ_in_the_method() -> None:
    assert [
        (each.route.name, each.route.method)
        for each in declared(
            "path: /v1/files, name: files, meter: requests, body: opaque",
            "path: /v1/files, name: files, meter: requests, method: GET",
            'path: "/v1/files/{file}", name: files, meter: requests, method: GET',
        )
    ] == [("files", "POST"), ("files", "GET"), ("files", "GET")]


def test_routes_of_all_files_come_together() -> None:
    one = "routes: [{path: /v1/a, name: a, meter: requests}]\n"
    two = "routes: [{path: /v1/b, name: b, meter: requests}]\n"
    policies = load({"a.yaml": one, "b.yaml": RULE + two})
    assert [each.route.path for each in policies.routes] == ["/v1/a", "/v1/b"]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "v1/a",
        "/",
        "/v1/",
        "/v1//a",
        "/v1/../a",
        "/v1/.a",
        "/v1/a%2Fb",
        "/v1/a?x=1",
        "/v1/a;b",
        "/v1/ä",
        "/v1/*",
        "/v1/a{file}",
        "/v1/{file}b",
        "/v1/{File}",
        "/v1/{}",
        "/v1/{fi-le}",
        "/v1/{file",
        "/v1/" + "a" * 200,
    ],
)
def test_a_path_that_is_none_is_refused(path: str) -> None:
    message = problem(f'path: "{path}", name: a, meter: requests')
    assert message.startswith("a.yaml:3:10: ")
    assert "is not a path of a route" in message


def test_a_path_that_is_no_text_is_refused() -> None:
    assert '"path" must be text, not the number 7' in problem("path: 7, name: a, meter: requests")


def test_one_word_for_two_places_is_refused() -> None:
    assert "twice" in problem('path: "/v1/{a}/{a}", name: a, meter: requests')


@pytest.mark.parametrize("name", ["''", "A", "a b", "_a", "a" * 65, "7.5", "{a: b}"])
def test_a_name_that_cannot_be_a_label_is_refused(name: str) -> None:
    assert '"name" must be' in problem(f"path: /v1/a, name: {name}, meter: requests")


@pytest.mark.parametrize("name", RouteName)
def test_the_name_of_a_route_of_our_own_is_refused(name: str) -> None:
    assert "a route of gauger's own" in problem(f"path: /v1/a, name: {name}, meter: requests")


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("path: /v1/a, name: a", '"meter" is missing'),
        ("path: /v1/a, name: a, meter: tokens", "Allowed: requests, usage."),
        ("path: /v1/a, name: a, meter: usage, body: jsn", 'Did you mean "json"?'),
        ("path: /v1/a, name: a, meter: usage, method: HEAD", "Allowed: GET, POST"),
        ("path: /v1/a, name: a, meter: usage, dialect: antropic", 'Did you mean "anthropic"?'),
        ("path: /v1/a, name: a, meter: usage, metre: usage", 'Did you mean "meter"?'),
    ],
)
def test_another_wrong_key_or_value_is_told_with_what_is_allowed(written: str, says: str) -> None:
    assert says in problem(written)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/chat/completions"),
        ("POST", "/v1/messages/count_tokens"),
        ("GET", "/v1/models/{id}"),
        ("GET", "/v1/models/gpt"),
        ("POST", "/v1beta/models/{m}:generateContent"),
        ("POST", "/v1beta/models/gemini:streamGenerateContent"),
    ],
)
def test_what_gauger_meters_by_itself_cannot_be_declared_anew(method: str, path: str) -> None:
    message = problem(f'path: "{path}", name: a, method: {method}, meter: requests')
    assert f"gauger serves and meters {method} {path} by itself" in message


def test_the_same_route_twice_is_refused_in_one_file_and_in_two() -> None:
    first = 'path: "/v1/files/{a}", name: a, meter: requests'
    second = 'path: "/v1/files/{b}", name: b, meter: usage'
    assert "a.yaml:4:10: POST /v1/files/{b} is declared twice" in problem(first, second)
    files = {
        "a.yaml": RULE + f"routes: [{{{first}}}]",
        "b.yaml": f"routes: [{{{second}}}]",
    }
    found = inspect(files).problems
    assert [(p.file, p.line) for p in found] == [("b.yaml", 1)]


def test_routes_without_any_rule_are_refused() -> None:
    found = inspect({"a.yaml": "routes: [{path: /v1/a, name: a, meter: requests}]"}).problems
    assert [p.message for p in found] == [ROUTES_ALONE]


def test_the_schema_shows_what_a_route_may_be() -> None:
    properties = RouteRule.model_json_schema()["properties"]
    assert set(properties) == {"path", "method", "name", "dialect", "meter", "body"}
    assert all(each["description"] for each in properties.values())
