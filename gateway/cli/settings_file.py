"""Reads a settings file: a flat YAML mapping of settings, checked line by line."""

from pathlib import Path

from gateway.errors import SettingsError
from gateway.settings.together import SECRET_VARIABLE, Given
from gateway.settings.written import LISTS, PATHS, SETTINGS
from gateway.source import yaml_text
from gateway.source.problems import Problem, Problems
from gateway.source.wording import allowed_words, kind


def read_settings_file(path: str) -> dict[str, Given]:
    """Raises `Problems`, all of them, or `SettingsError` if there is no such file.

    No line of the file is repeated, since a store's address may hold a password.
    """
    file = Path(path)
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        raise SettingsError(f"--config: {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"--config: {path}: not UTF-8 text.") from error
    document = yaml_text.read(path, text, secret=True)
    problems = list(document.problems)
    values: dict[str, Given] = {}
    if document.complete and not isinstance(document.value, dict):
        place = document.value_place(())
        message = f"Settings are lines of `name: value`, not {kind(document.value)}."
        problems.append(document.source.problem(place, message))
    elif isinstance(document.value, dict):
        for name, value in document.value.items():
            try:
                written = _checked(name, value, file.parent)
            except SettingsError as error:
                place = document.key_place((name,))
                problems.append(document.source.problem(place, str(error)))
            else:
                values[name] = Given(
                    written, _where(document.source.problem(document.value_place((name,)), ""))
                )
    if problems:
        raise Problems(problems)
    return values


def _where(problem: Problem) -> str:
    return f"{problem.file}:{problem.line}:{problem.column}"


def _checked(name: str, value: yaml_text.Value, folder: Path) -> str:
    if name == "secret":
        raise SettingsError(
            f"A secret does not belong into a settings file. Set {SECRET_VARIABLE}, or name a file "
            "that holds it with secret_file."
        )
    if name not in SETTINGS:
        raise SettingsError(f"This is no setting. {allowed_words(name, SETTINGS)}")
    if name in LISTS and isinstance(value, list) and all(isinstance(one, str) for one in value):
        value = " ".join(str(one) for one in value)
    if value is None or isinstance(value, list | dict):
        raise SettingsError(f"{name}: one value is needed, not {kind(value)}.")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if name in PATHS:
        parts = text.split() if name in LISTS else [text]
        text = " ".join(_beside(part, folder, selected=name in LISTS) for part in parts)
    try:
        SETTINGS[name].read(text)
    except SettingsError as error:
        raise SettingsError(f"{name}: {error}") from None
    return text


def _beside(text: str, folder: Path, *, selected: bool) -> str:
    """A path of the file's, which may stand behind `SELECTOR=`."""
    selector, equals, path = text.partition("=") if selected and "=" in text else ("", "", text)
    return selector + equals + (path if path.startswith("~") else str(folder / path))
