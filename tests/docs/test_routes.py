"""The page on routes says what the code does."""

import re
from pathlib import Path

from gateway.facts.dialects.registry import DIALECTS
from gateway.facts.exchange import RouteName
from gateway.policy.parse import load
from gateway.proxy.upstream.written import parse_upstreams

PAGE = (Path(__file__).parents[2] / "gateway/docs/routes.md").read_text(encoding="utf-8")
ROWS = {row.split("|")[1].strip(): row for row in PAGE.splitlines() if row.startswith("| `")}


def test_every_name_of_a_route_has_its_row_and_no_other() -> None:
    assert set(ROWS) == {f"`{name}`" for name in RouteName}


def test_every_route_stands_in_its_row() -> None:
    for dialect in DIALECTS:
        for route in dialect.routes:
            row = ROWS[f"`{route.name}`"]
            assert route.method in row
            assert re.sub(r"^/v1(beta)?(/models/{model}(?=:))?", "", route.path) in row
            assert dialect.name in row or "by the headers" in row


def test_the_example_of_declared_routes_can_be_loaded() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    rule = "quotas: [{id: a, why: b, limit: 9/minute}]\n"
    assert [each.route.name for each in load({"a.yaml": rule + example}).routes] == [
        "transcriptions",
        "files",
    ]


def test_the_example_of_upstreams_can_be_parsed() -> None:
    (command,) = re.findall(r"```\n(gauger serve.*?)```", PAGE, re.DOTALL)
    urls = re.findall(r"--upstream '?([^\s']+)'?", command)
    keys = re.findall(r"--upstream-key-env (\S+)", command)
    environ = {"OPENAI_KEY": "sk-1", "ANTHROPIC_KEY": "sk-2"}
    upstreams = parse_upstreams(urls, keys, environ)
    assert [one.selector for one in upstreams.named] == ["anthropic", "local-*", ""]
