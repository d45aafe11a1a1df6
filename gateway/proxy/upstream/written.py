"""The operator's `--upstream` and `--upstream-key-env`, as often as they are given.

    --upstream https://api.openai.com                   for all that is not selected below
    --upstream anthropic=https://api.anthropic.com      by the dialect that the caller speaks
    --upstream 'frontier-*=http://10.0.0.7:8000'        by the model; * stands for any letters
    --upstream-key-env OPENAI_KEY                       of the first
    --upstream-key-env anthropic=ANTHROPIC_KEY          of the second, and so on

The first selector that fits wins, in the order given; the upstream without a selector comes last,
wherever it stands. Where no upstream has a key the callers' own go on. Where any has one, the
callers' credentials are those of this gateway, and an upstream without a key is shown none.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from gateway.errors import SettingsError
from gateway.facts.dialects.registry import DIALECT_NAMES
from gateway.policy.prices import fits
from gateway.proxy.intake import NO_KEY, UpstreamKey
from gateway.proxy.selection import THE_ONE, Selection
from gateway.proxy.upstream.target import UpstreamTarget

_SELECTOR = re.compile(r"[A-Za-z0-9*][A-Za-z0-9._:@/*-]{0,255}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEY = re.compile(r"[!-~]+")

_LIKE_A_DIALECT = 0.8
"""A model of such a name is hardly meant: `antropic`."""

_ALLOWED = (
    "Allowed: URL, DIALECT=URL (" + ", ".join(DIALECT_NAMES) + "), or MODEL=URL, where * in the "
    "model stands for any letters."
)


@dataclass(frozen=True, slots=True)
class NamedUpstream:
    """One of the operator's model APIs."""

    selector: str
    """As it was written; `THE_ONE` for the rest."""
    target: UpstreamTarget
    key: UpstreamKey | None = None

    def takes(self, dialect: str, model: str | None) -> bool:
        if self.selector in (THE_ONE, dialect):
            return True
        if model is None or self.selector in DIALECT_NAMES:
            return False
        return fits(self.selector, model) if "*" in self.selector else self.selector == model


@dataclass(frozen=True, slots=True)
class Upstreams:
    """In the order in which they are tried; the last one takes everything."""

    named: tuple[NamedUpstream, ...]

    def select(self, dialect: str, model: str | None) -> Selection:
        one = next(one for one in self.named if one.takes(dialect, model))
        without = NO_KEY if any(other.key for other in self.named) else None
        return Selection(one.selector, one.key or without)

    @property
    def where(self) -> str:
        """All of them, for people: `anthropic: api.anthropic.com:443, else api.openai.com:443`."""
        *selected, rest = self.named
        before = "".join(f"{one.selector}: {one.target.where}, " for one in selected)
        return f"{before}else {rest.target.where}" if selected else rest.target.where


def parse_upstreams(
    upstreams: Sequence[str], key_envs: Sequence[str] = (), environ: Mapping[str, str] | None = None
) -> Upstreams:
    """`environ` is where the named variables stand.

    Raises `SettingsError` with all that is wrong; its text repeats no key.
    """
    problems: list[str] = []
    targets = _targets(upstreams, problems)
    if not problems and THE_ONE not in targets:
        problems.append(
            "upstream: none is for what the selectors leave. Give one URL without a selector."
        )
    selectors = None if problems else targets.keys()
    keys = _keys(key_envs, selectors, environ or {}, problems)
    if problems:
        raise SettingsError("\n".join(problems))
    in_order = sorted(targets, key=lambda selector: selector == THE_ONE)
    return Upstreams(tuple(NamedUpstream(s, targets[s], keys.get(s)) for s in in_order))


def _targets(upstreams: Sequence[str], problems: list[str]) -> dict[str, UpstreamTarget]:
    targets: dict[str, UpstreamTarget] = {}
    for written in upstreams:
        try:
            selector, url = _selected(written)
            target = UpstreamTarget.parse(url)
        except SettingsError as error:
            problems.append(str(error))
            continue
        if selector in targets:
            problems.append(f"upstream: {_called(selector)} is given twice. Keep one.")
        targets[selector] = target
    return targets


def _keys(
    key_envs: Sequence[str],
    selectors: Collection[str] | None,
    environ: Mapping[str, str],
    problems: list[str],
) -> dict[str, UpstreamKey]:
    """Without `selectors`, which are wrong themselves, only the variables are looked at."""
    keys: dict[str, UpstreamKey] = {}
    for written in key_envs:
        selector, _, name = written.rpartition("=")
        try:
            key = _key(name, environ)
        except SettingsError as error:
            problems.append(str(error))
            continue
        if selectors is not None and selector not in selectors:
            shown = f' "{selector}"' if _SELECTOR.fullmatch(selector) else ""
            problems.append(f"upstream-key-env: no --upstream has the selector{shown}.")
        if selector in keys:
            problems.append(f"upstream-key-env: {_called(selector)} has two. Keep one.")
        keys[selector] = key
    return keys


def _selected(written: str) -> tuple[str, str]:
    """The selector, which may be none, and the URL."""
    before, equals, url = written.partition("=")
    if not equals or "://" in before:
        return THE_ONE, written
    if not _SELECTOR.fullmatch(before):
        raise SettingsError(f"upstream: what stands before the = selects nothing. {_ALLOWED}")
    if before not in DIALECT_NAMES and "*" not in before:
        meant = get_close_matches(before.lower(), DIALECT_NAMES, n=1, cutoff=_LIKE_A_DIALECT)
        if meant:
            raise SettingsError(
                f'upstream: "{before}" is no dialect. Did you mean "{meant[0]}"? A model of that '
                f"name is written {before}*. {_ALLOWED}"
            )
    return before, url


def _called(selector: str) -> str:
    return f'"{selector}"' if selector else "the upstream without a selector"


def _key(name: str, environ: Mapping[str, str]) -> UpstreamKey:
    """Whoever gave the key in the place of the name must not find it in the log."""
    called = f"variable {name}" if name.isupper() else "variable of that name"
    if not _VARIABLE.fullmatch(name):
        raise SettingsError(
            "upstream-key-env: this is not the name of a variable. Allowed: NAME, SELECTOR=NAME."
        )
    key = environ.get(name, "").strip()
    if not key:
        raise SettingsError(
            f"upstream-key-env: the {called} is empty or not set. Set it to the key of the model "
            "API, or leave this setting out."
        )
    if not _KEY.fullmatch(key):
        raise SettingsError(
            f"upstream-key-env: the {called} holds a space or a character that no key has. Check "
            "how it was set."
        )
    return UpstreamKey(key)
