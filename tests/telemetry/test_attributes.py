"""The names agree with the conventions as installed, and stand in one place."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
from opentelemetry.semconv import attributes as stable
from opentelemetry.semconv._incubating import attributes as incubating

from gateway.telemetry import attributes

ROOT = Path(attributes.__file__).parents[1]
NAMES = {
    name: value
    for name, value in vars(attributes).items()
    if name.isupper() and isinstance(value, str)
}
OURS = "gateway."


def conventional() -> Iterator[str]:
    for package in (stable, incubating):
        for module in iter_modules(package.__path__):
            found = vars(import_module(f"{package.__name__}.{module.name}"))
            yield from (value for value in found.values() if isinstance(value, str))


def test_no_two_constants_are_one_name() -> None:
    assert len(set(NAMES.values())) == len(NAMES)


@pytest.mark.parametrize("name", [name for name in NAMES.values() if not name.startswith(OURS)])
def test_a_name_that_is_not_ours_is_one_of_the_conventions(name: str) -> None:
    assert name in set(conventional())


def test_no_other_file_spells_the_name_of_an_attribute() -> None:
    names = {name for name in NAMES.values() if "." in name}
    elsewhere = {
        (str(path.relative_to(ROOT)), node.value)
        for path in ROOT.rglob("*.py")
        if path != Path(attributes.__file__)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in names
    }
    # A fact that a policy may name, which happens to be called the same.
    facts = {"facts/catalog.py", "behaviour/codec.py"}
    assert elsewhere <= {(file, attributes.CLIENT_ADDRESS) for file in facts}
