""".github/SECURITY.md names what there is."""

import re
from pathlib import Path

import pytest

from gateway.settings.written import SETTINGS

FILE = Path(__file__).parents[2] / ".github" / "SECURITY.md"
TEXT = FILE.read_text()


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)\)", TEXT))))
def test_every_link_leads_somewhere(link: str) -> None:
    assert (FILE.parent / link).exists()


@pytest.mark.parametrize("flag", sorted(set(re.findall(r"`(--[a-z-]+)", TEXT))))
def test_every_flag_exists(flag: str) -> None:
    assert flag in {setting.flag for setting in SETTINGS.values()}


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`(?:python )?(\.ci/[\w.]+)", TEXT))))
def test_every_file_of_ci_exists(path: str) -> None:
    assert (FILE.parents[1] / path).is_file()
