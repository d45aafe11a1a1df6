from pathlib import Path

from gateway.facts.behaviour_facts import ALL_FACTS
from gateway.policy.fact_table import page

WRITTEN = Path(__file__).parents[2] / "gateway/docs/facts.md"


def test_the_page_of_facts_is_what_the_catalogue_says() -> None:
    """Otherwise: python -m gateway.policy.fact_table > gateway/docs/facts.md."""
    assert WRITTEN.read_text("utf-8") == page()


def test_every_fact_has_its_row() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == list(ALL_FACTS)
    assert all(row.count("|") == 8 for row in rows)
