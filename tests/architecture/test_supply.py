"""`.ci/supply.py audit` never says that all is well where nobody was asked."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "supply.py"

Answer = list[dict[str, Any]] | None

SOUND = {"name": "starlette", "version": "1.0", "vulns": []}
HOLED = {"name": "jinja2", "version": "2.10", "vulns": [{"id": "CVE-2019-10906"}]}
SKIPPED = {"name": "jinja2", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    ("control", "pins", "expected"),
    [
        (None, None, (0, "NOT AUDITED")),
        ([SKIPPED], [SKIPPED], (0, "NOT AUDITED")),
        ([{**HOLED, "vulns": []}], [SOUND], (0, "NOT AUDITED")),
        ([HOLED], [SOUND], (0, "1 packages, 0 with known holes")),
        ([HOLED], [SOUND, HOLED], (1, "jinja2 2.10: CVE-2019-10906")),
        ([HOLED], [SOUND, SKIPPED], (0, "not known there: ['jinja2']")),
        ([HOLED], None, (1, "failed")),
    ],
)
def test_what_the_auditor_answers_is_told_as_it_is(
    control: Answer,
    pins: Answer,
    expected: tuple[int, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spec = importlib.util.spec_from_file_location("supply", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    supply = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(supply)
    monkeypatch.setattr(supply, "_with", lambda home, _: home)
    monkeypatch.setattr(
        supply, "_audited", lambda _, asked: pins if asked == supply.PINS else control
    )
    assert supply.audit() == expected[0]
    assert expected[1] in capsys.readouterr().out
