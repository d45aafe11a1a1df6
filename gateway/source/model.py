"""A document against the model of what may be written: the model's values, or located problems.

pydantic finds every error at once and tells its path; the document knows where that path stands.
pydantic's messages speak of Python, so they are said anew for people who write YAML.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from gateway.source.problems import PROBLEMS_SHOWN, Problem, Problems
from gateway.source.wording import allowed_words, kind, nearest, shown
from gateway.source.yaml_text import Document, Path


class Written(BaseModel):
    """The base of everything an operator writes: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    later_keys: ClassVar[Mapping[str, str]] = {}
    """Keys that the language has and this version has not, with what they are about."""


M = TypeVar("M", bound=Written)

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "list_type": 'a list (every entry begins with "- ")',
    "tuple_type": 'a list (every entry begins with "- ")',
    "dict_type": "a mapping (lines of `key: value`)",
    "model_type": "a mapping (lines of `key: value`)",
}

_QUOTED = re.compile(r"'([^']*)'")


def validate(model: type[M], document: Document) -> M:
    """Raises `Problems`: those of the YAML together with those of its meaning."""
    problems = list(document.problems)
    if document.complete:
        try:
            valid = model.model_validate(document.value)
        except ValidationError as error:
            problems += _problems(model, document, error)
        else:
            if not problems:
                return valid
    raise Problems(problems)


def _problems(model: type[Written], document: Document, error: ValidationError) -> list[Problem]:
    found = [
        details
        for details in error.errors(include_url=False)
        if not _is_told(document, details["loc"])
    ][: 2 * PROBLEMS_SHOWN + 2]  # of two, one may be dropped below
    guessed = {_guess(model, details) for details in found}
    return [
        _problem(model, document, details)
        for details in found
        if details["type"] != "missing" or details["loc"] not in guessed
    ]


def _guess(model: type[Written], details: ErrorDetails) -> Path:
    """Of an unknown key, the one that was meant: that it is missing need not be said again."""
    *inside, key = details["loc"] or ("",)
    if details["type"] != "extra_forbidden":
        return ()
    return (*inside, nearest(str(key), _fields(_model_at(model, tuple(inside)))) or "")


def _is_told(document: Document, loc: Path) -> bool:
    """The value was refused as YAML: what the model says of it would be noise."""
    return any(loc[:length] in document.refused for length in range(len(loc) + 1))


def _problem(model: type[Written], document: Document, details: ErrorDetails) -> Problem:
    loc = details["loc"]
    at_key = details["type"] == "extra_forbidden"
    place = document.key_place(loc) if at_key else document.value_place(loc)
    return document.source.problem(place, _message(model, details, secret=document.source.secret))


def _message(model: type[Written], details: ErrorDetails, *, secret: bool) -> str:
    loc, found = details["loc"], details["input"]
    name = _name(loc)
    match details["type"]:
        case "value_error":
            return str(details["ctx"]["error"])  # ours already
        case "extra_forbidden":
            return _unknown_key(_model_at(model, loc[:-1]), str(loc[-1]), secret=secret)
        case "missing":
            field = _fields(_model_at(model, loc[:-1]))[str(loc[-1])]
            return f'"{loc[-1]}" is missing here. Add it: {field.description}'
        case "literal_error" | "enum":
            words = _QUOTED.findall(details["ctx"]["expected"])
            written = "This value" if secret else shown(f"{loc[-1]}: {_plain(found)}")
            return f"{written} is not allowed. {allowed_words(_plain(found), words)}"
        case kind_of_error if kind_of_error in _EXPECTED:
            expected = _EXPECTED[kind_of_error]
            quotes = " Put it in quotes." if expected == "text" and _is_number(found) else ""
            return f"{name} must be {expected}, not {_kind(found, secret=secret)}.{quotes}"
        case _:
            return f"{name}: {details['msg']}."


def _unknown_key(model: type[Written], key: str, *, secret: bool) -> str:
    written = "This" if secret else shown(key)
    if key in model.later_keys:
        return (
            f"This version of gauger does not know {written} ({model.later_keys[key]}) and would "
            "not enforce it. Delete it, or install a version that does."
        )
    return f"{written} is not a key here. {allowed_words(key, _fields(model))}"


def _name(loc: Path) -> str:
    """The key under which a value stands; an entry of a list goes by the list's key."""
    return next((f'"{step}"' for step in reversed(loc) if isinstance(step, str)), "The file")


def _plain(value: object) -> str:
    return value if isinstance(value, str) else kind(value)


def _kind(value: object, *, secret: bool) -> str:
    if secret and isinstance(value, str | int | float) and not isinstance(value, bool):
        return "what is written"
    return kind(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def _model_at(model: type[Written], loc: Path) -> type[Written]:
    """The model whose keys stand at a path. List entries and mappings are of one model."""
    for step in loc:
        if isinstance(step, str) and step in (fields := _fields(model)):
            model = _model_inside(fields[step].annotation) or model
    return model


def _fields(model: type[Written]) -> dict[str, FieldInfo]:
    """By the key that is written: `for` cannot be the name of a field, and is its alias."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _model_inside(annotation: Any) -> type[Written] | None:  # noqa: ANN401  annotations are anything
    if isinstance(annotation, type) and issubclass(annotation, Written):
        return annotation
    inside = (_model_inside(argument) for argument in get_args(annotation))
    return next((model for model in inside if model), None)
