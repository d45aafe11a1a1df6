"""The settings as options: one source of names, variables and defaults for every command.

Precedence is typer's own: flag, then variable, then settings file (`default_map`), then default.
"""

import os
from collections.abc import Iterable, Mapping
from typing import Any

import typer

from gateway.cli.settings_file import read_settings_file
from gateway.settings.doors import ADMIN_TOKEN_VARIABLE
from gateway.settings.together import SECRET_VARIABLE, Given
from gateway.settings.written import LISTS, SETTINGS, default_text
from gateway.source.wording import nearest

CONFIG_VARIABLE = "GAUGER_CONFIG"
ADMIN_CLIENT_VARIABLES = ("GAUGER_ADMIN_URL", "GAUGER_ADMIN_CA", "GAUGER_ADMIN_CERT")
"""Of commands that ask a running gauger; `serve` has no use for them."""

_ORIGINS = "gateway.settings_file"


def setting(name: str, explained: str, metavar: str) -> Any:  # noqa: ANN401  # what typer.Option returns
    """An option for one setting. A truth value gets a flag and its contrary."""
    written = SETTINGS[name]
    truth = metavar == "BOOL"
    flags = f"{written.flag}/--no-{name.replace('_', '-')}" if truth else written.flag
    return typer.Option(
        flags,
        envvar=written.variable,
        help=explained,
        metavar=None if truth else metavar,
        show_envvar=False,  # one sentence tells the rule for all of them
        show_default=default_text(name) or False,
    )


def config() -> Any:  # noqa: ANN401  # what typer.Option returns
    return typer.Option(
        "--config",
        envvar=CONFIG_VARIABLE,
        show_envvar=False,
        help="A settings file: YAML, keys as the flags with _ for -. Its paths are relative to it.",
        metavar="FILE",
        is_eager=True,
        callback=_from_file,
    )


def given(ctx: typer.Context) -> dict[str, Given]:
    """Everything that was set in some place, with that place."""
    return {
        name: Given(_text(value), *_origin(ctx, name))
        for name, value in ctx.params.items()
        if name in SETTINGS and value not in (None, [], ())
    }


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """A warning for each variable that looks like ours and is not."""
    known = {written.variable for written in SETTINGS.values()} | {
        *(SECRET_VARIABLE, CONFIG_VARIABLE, ADMIN_TOKEN_VARIABLE),
        *ADMIN_CLIENT_VARIABLES,
    }
    return [
        f"{name} is set, and no setting has this name.{_guess(name, known)}"
        for name in sorted(environ)
        if name.startswith("GAUGER_") and name not in known
    ]


def _guess(name: str, known: Iterable[str]) -> str:
    near = nearest(name, known)
    return f" Did you mean {near}?" if near else ""


def environment() -> Mapping[str, str]:
    return os.environ


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        return " ".join(str(one) for one in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _origin(ctx: typer.Context, name: str) -> tuple[str, bool]:
    source = ctx.get_parameter_source(name)
    word = source.name if source else ""
    if word == "DEFAULT_MAP":
        return ctx.meta[_ORIGINS][name], False
    if word == "ENVIRONMENT":
        return SETTINGS[name].variable, False
    return SETTINGS[name].flag, True


def _from_file(ctx: typer.Context, path: str | None) -> str | None:
    if path is not None:
        values = read_settings_file(path)
        ctx.default_map = {
            name: value.text.split() if name in LISTS else value.text
            for name, value in values.items()
        }
        ctx.meta[_ORIGINS] = {name: value.origin for name, value in values.items()}
    return path
