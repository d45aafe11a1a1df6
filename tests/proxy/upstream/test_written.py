"""`--upstream` as it is given: what selects what, with which key, and what is wrong with it."""

import pytest

from gateway.errors import SettingsError
from gateway.proxy.intake import NO_KEY, UpstreamKey
from gateway.proxy.selection import Selection
from gateway.proxy.upstream.written import parse_upstreams

REST = "https://api.openai.com"
THREE = ("anthropic=https://api.anthropic.com", "frontier-*=http://10.0.0.7:8000/base", REST)


@pytest.mark.parametrize(
    ("dialect", "model", "host"),
    [
        ("openai", "gpt", "api.openai.com"),
        ("openai", None, "api.openai.com"),
        ("gemini", "gemini-3", "api.openai.com"),
        ("anthropic", "claude", "api.anthropic.com"),
        ("anthropic", None, "api.anthropic.com"),
        ("anthropic", "frontier-1", "api.anthropic.com"),
        ("openai", "frontier-1", "10.0.0.7"),
        ("openai", "frontier-", "10.0.0.7"),
        ("openai", "Frontier-1", "api.openai.com"),
        ("openai", "a-frontier-1", "api.openai.com"),
    ],
)
@pytest.mark.parametrize("given", [THREE, (REST, *THREE[:2])], ids=["rest last", "rest first"])
def test_the_first_selector_that_fits_wins_and_the_rest_comes_last(
    given: tuple[str, ...], dialect: str, model: str | None, host: str
) -> None:
    upstreams = parse_upstreams(given)
    name = upstreams.select(dialect, model).name
    (target,) = [one.target for one in upstreams.named if one.selector == name]
    assert target.host == host


@pytest.mark.parametrize(
    ("selector", "model", "takes"),
    [
        ("org/model:7b", "org/model:7b", True),
        ("org/model:7b", "org/model:7bx", False),
        ("a.c", "abc", False),
        ("*-mini", "gpt-mini", True),
        ("*", "anything", True),
        ("*", None, False),
        ("gpt-*-mini", "gpt-4-mini", True),
        ("gpt-*-mini", "gpt-mini", False),
        ("*a*a*a*a*a*a*a*b", "a" * 256, False),
    ],
)
def test_a_selector_is_a_name_or_a_pattern(selector: str, model: str | None, takes: bool) -> None:
    upstreams = parse_upstreams([REST, f"{selector}=http://h"])
    assert upstreams.select("openai", model).name == (selector if takes else "")


def test_a_model_that_is_called_like_a_dialect_is_not_taken_for_one() -> None:
    upstreams = parse_upstreams([REST, "anthropic=http://h"])
    assert upstreams.select("openai", "anthropic").name == ""


def test_a_url_may_hold_an_equals_sign() -> None:
    (one,) = parse_upstreams(["http://h/deployment=a"]).named
    assert (one.selector, one.target.prefix) == ("", b"/deployment=a")
    selected = parse_upstreams([REST, "m=http://h/deployment=a"]).named[0]
    assert (selected.selector, selected.target.prefix) == ("m", b"/deployment=a")


ENVIRON = {"KEY": "sk-1\n", "OTHER": "sk-2", "EMPTY": " ", "BAD": "sk 3"}


def test_without_any_key_the_callers_own_go_on() -> None:
    assert parse_upstreams(THREE).select("anthropic", "m") == Selection("anthropic", None)


def test_each_upstream_has_its_own_key_and_one_without_is_shown_none() -> None:
    upstreams = parse_upstreams(THREE, ["KEY", "anthropic=OTHER"], ENVIRON)
    assert upstreams.select("openai", "m") == Selection("", UpstreamKey("sk-1"))
    assert upstreams.select("anthropic", "m") == Selection("anthropic", UpstreamKey("sk-2"))
    assert upstreams.select("openai", "frontier-1") == Selection("frontier-*", NO_KEY)
    assert "sk-1" not in repr(upstreams)


def test_where_they_are_is_told_to_people() -> None:
    assert parse_upstreams([REST]).where == "api.openai.com:443"
    assert parse_upstreams(THREE).where == (
        "anthropic: api.anthropic.com:443, frontier-*: 10.0.0.7:8000, else api.openai.com:443"
    )


@pytest.mark.parametrize(
    ("upstreams", "key_envs", "says"),
    [
        ([], [], "Give one URL without a selector"),
        (["anthropic=http://h"], [], "Give one URL without a selector"),
        ([REST, REST], [], "the upstream without a selector is given twice"),
        ([REST, "a*=http://h", "a*=http://i"], [], '"a*" is given twice'),
        ([REST, "antropic=http://h"], [], 'Did you mean "anthropic"?'),
        ([REST, "OpenAI=http://h"], [], 'Did you mean "openai"?'),
        ([REST, "=http://h"], [], "selects nothing"),
        ([REST, "a b=http://h"], [], "selects nothing"),
        ([REST, "a[bc]=http://h"], [], "selects nothing"),
        ([REST, "ä*=http://h"], [], "selects nothing"),
        ([REST, "a" * 300 + "=http://h"], [], "selects nothing"),
        ([REST, "a*=ftp://h"], [], 'the scheme "ftp" is not known'),
        ([REST, "a*="], [], "the scheme"),
        ([REST, "a*=http://u:hunter2@h"], [], "a user or password in the URL"),
        ([REST], ["anthropic=KEY"], 'no --upstream has the selector "anthropic"'),
        ([REST], ["KEY", "OTHER"], "the upstream without a selector has two"),
        ([REST], ["NOWHERE"], "the variable NOWHERE is empty or not set"),
        ([REST], ["EMPTY"], "the variable EMPTY is empty or not set"),
        ([REST], ["BAD"], "the variable BAD holds a space"),
        ([REST], ["sk-hunter2"], "this is not the name of a variable"),
        ([REST], ["hunter2"], "the variable of that name is empty"),
        ([REST], ["sk-hunter 2=KEY"], "no --upstream has the selector."),
    ],
)
def test_what_is_wrong_is_told_without_a_secret(
    upstreams: list[str], key_envs: list[str], says: str
) -> None:
    with pytest.raises(SettingsError) as raised:
        parse_upstreams(upstreams, key_envs, ENVIRON)
    assert says in str(raised.value)
    assert "hunter" not in str(raised.value)
    assert "sk" not in str(raised.value)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(SettingsError) as raised:
        parse_upstreams(["ftp://h", "antropic=http://h"], ["NOWHERE"])
    assert len(str(raised.value).splitlines()) == 3
