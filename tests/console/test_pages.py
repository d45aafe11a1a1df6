import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

from gateway.console import pages
from gateway.facts.exchange import Ask
from gateway.policy.predicate import condition
from gateway.policy.quota import Policies
from gateway.telemetry.recent import Row, row
from gateway.telemetry.summary import summarise
from tests.console.statuses import REFUSED, status
from tests.parts.values import limit, quota
from tests.telemetry import exchanges

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"


class Elements(HTMLParser):
    """Every element with its attributes, and all text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def names(self) -> list[str]:
        return [name for name, _ in self.elements]


def shown(*rows: Row) -> str:
    return pages.status_page(status(), list(rows))


def test_a_quota_that_holds_for_some_says_for_which() -> None:
    text = 'request.model == "frontier<b>"'
    some = quota(limit(5), when=condition(text))
    page = pages.status_page(status(policies=Policies((some,), "0123456789ab")), [])
    assert text in Elements(page).text
    assert "when" not in " ".join(Elements(shown()).text).split()


def test_a_name_without_a_space_is_broken_in_its_cell() -> None:
    """A caller chooses what the model is called, and must not push the table off the page."""
    long = row(summarise(exchanges.answered(ask=Ask(model="x" * 256))))
    page = shown(long)
    cells = [attrs.get("class") for name, attrs in Elements(page).elements if name == "td"]
    assert "asked" in cells
    assert re.search(r"\.asked[^}]*\{[^}]*overflow-wrap: anywhere", page)
    assert re.search(r"\.asked[^}]*\{[^}]*max-width: \d", page)


def test_the_page_names_quotas_with_their_whys_limits_and_place() -> None:
    text = " ".join(Elements(shown()).text)
    for expected in (
        "requests-per-minute",
        "The why of requests-per-minute.",
        "600 requests / minute",
        "plans.yaml:3",
        "200,000 output tokens / hour, 50,000 output tokens at once",
        "account.id, request.model",
        "shadow",
        "9.8.7",
        "1 d 2 h",
        "redis://counters:6379/0",
        "http://model.example:8000",
        "1,234",
        "4,321",
        "121,314",
    ):
        assert expected in text


def test_a_recent_decision_shows_what_was_reserved_and_used() -> None:
    page = shown(row(summarise(exchanges.answered())))
    text = "".join(Elements(page).text)
    assert "110 \N{RIGHTWARDS ARROW} 46" in text
    assert "46 est." not in text
    assert 'href="/decisions?account=acct_1"' in page


def test_an_estimated_settlement_is_marked() -> None:
    told = row(summarise(exchanges.answered())) | {"settlement": "delivered"}
    assert "46 est." in "".join(Elements(shown(told)).text)


def test_a_client_that_left_has_no_status() -> None:
    told = row(summarise(exchanges.answered(status=None)))
    assert "left" in Elements(shown(told)).text


def test_a_request_that_was_never_judged_shows_why_it_was_rejected() -> None:
    text = Elements(shown(row(summarise(exchanges.rejected())))).text
    assert "rejected" in text
    assert "no_credential" in text


def test_no_value_becomes_markup() -> None:
    harmless = shown(row(summarise(exchanges.refused())))
    hostile_row: Row = {
        name: HOSTILE if isinstance(value, str) else value
        for name, value in row(summarise(exchanges.refused())).items()
    }
    hostile_quota = quota(limit(600, quota_id=HOSTILE), per=(HOSTILE,), where=HOSTILE)
    quotas = (hostile_quota, status().policies.quotas[1])
    page = pages.status_page(
        status(
            version=HOSTILE,
            store=HOSTILE,
            upstream=HOSTILE,
            policies=Policies(quotas, HOSTILE),
        ),
        [hostile_row],
    )
    assert Elements(page).names() == Elements(harmless).names()
    assert not [1 for _, given in Elements(page).elements if "onerror" in given]
    assert "<script>alert" not in pages.unavailable_page(HOSTILE)


def test_the_browser_may_run_our_style_and_script_and_nothing_else() -> None:
    page = shown()
    for element, directive in (("style", "style-src"), ("script", "script-src")):
        (text,) = re.findall(f"<{element}>(.*?)</{element}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in pages.POLICY
    assert "unsafe" not in pages.POLICY


def test_the_page_loads_nothing_from_anywhere() -> None:
    for name, given in Elements(shown(row(summarise(exchanges.answered())))).elements:
        assert "src" not in given
        assert "style" not in given
        target = given.get("href") or ""
        assert target.startswith(("/decisions?", "data:,")) or name != "a"
        assert "//" not in target


def test_a_store_that_is_away_is_the_first_thing_one_reads() -> None:
    away = status(store_fault="timeout")
    told = "The store does not answer: timeout; each quota holds by its on_store_failure."
    assert told in Elements(pages.status_page(away, [])).text
    away = status(store_fault="timeout", store_unready="the store is away; a quota is closed")
    text = Elements(pages.status_page(away, [])).text
    assert "The store is away; a quota is closed." in text
    assert "not ready" in text


def test_without_an_accounts_file_every_key_is_welcome() -> None:
    assert "any key" in Elements(pages.status_page(status(accounts=None), [])).text


def test_what_is_empty_says_so() -> None:
    text = Elements(pages.status_page(status(policies=Policies()), [])).text
    assert "No quota is in force: nothing is limited." in text
    assert "No request has come yet." in text


def test_a_refused_version_is_shown_with_its_problems_and_since_when() -> None:
    text = " ".join(Elements(pages.status_page(status(refused=(REFUSED,)), [])).text)
    assert "Refused: policies" in text
    assert "refused since 2026-05-29 21:26:40 UTC (1 h 3 min ago), and 3fa94c17e0b2 stays" in text
    assert "plans.yaml:3:12: <b> is no unit." in text
    assert "plans.yaml:4:10: This is wrong." in text
    assert "ready" in text
    assert "not ready" not in text


def test_of_a_hundred_problems_the_first_are_shown() -> None:
    many = replace(REFUSED, problems=tuple(f"a.yaml:{line}:1: wrong" for line in range(1, 101)))
    text = Elements(pages.status_page(status(refused=(many,)), [])).text
    assert "a.yaml:20:1: wrong" in text
    assert "a.yaml:21:1: wrong" not in text
    assert "80 more are in the log." in text


def test_where_nothing_is_refused_nothing_is_said_of_it() -> None:
    assert "Refused" not in pages.status_page(status(), [])
