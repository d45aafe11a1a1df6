"""One thing that operators write (the policies, the accounts): what is in force, what was refused.

A version is read and parsed aside, in a thread; only a sound one comes into force. Which version it
is, its bytes decide, so reading the same again does nothing.
"""

import asyncio
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Generic, TypeVar

from gateway.errors import OperatorError
from gateway.policy.parse import digest
from gateway.source.problems import Problems

T = TypeVar("T")

TRIES = 5
"""A version is taken only if it was read twice the same: a directory may be swapped between the
reading of one of its files and of the next."""


class Outcome(StrEnum):
    """Of one reading."""

    UNCHANGED = "unchanged"
    REPLACED = "replaced"
    REFUSED = "refused"
    """What was in force stays."""


@dataclass(frozen=True, slots=True)
class Refused:
    """What lies on the disk and cannot be used."""

    what: str
    in_force: str
    """The digest of what stays."""
    problems: tuple[str, ...]
    """Each with its place."""
    since_us: int
    """When these problems were first met."""


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What one reading came to."""

    what: str
    outcome: Outcome
    digest: str
    """Of what is in force now."""
    problems: tuple[str, ...] = ()


class Written(Generic[T]):
    """`read` gives texts by name and `parse` their meaning; both raise `OperatorError`."""

    def __init__(
        self,
        what: str,
        path: Path,
        *,
        read: Callable[[Path], Mapping[str, str]],
        parse: Callable[[Mapping[str, str]], T],
        clock: Callable[[], int],
    ) -> None:
        """Reads the first version. Raises `OperatorError`: there is nothing to fall back to."""
        self.what = what
        self.path = path
        self._read, self._parse, self._clock = read, parse, clock
        self._put_in_force: Callable[[T], None] | None = None
        self.paths = frozenset((path,))
        """Where a change may matter: also each file that was last read, for one may name others."""
        self.texts = self._read_now()
        """Of what is in force, by the names of the files."""
        self.value = parse(self.texts)
        self.digest = digest(self.texts)
        self.refused: Refused | None = None

    def whenever_replaced(self, put_in_force: Callable[[T], None]) -> None:
        """`put_in_force` is called in the event loop, with a sound version; `value` is that, too.

        If it raises, the version is refused.
        """
        self._put_in_force = put_in_force

    async def reload(self) -> Reloaded:
        """Raises nothing. Not to be called while another call of it is under way."""
        try:
            texts, value = await asyncio.to_thread(self._read_aside)
            if value is not None:
                self._replace(texts, value)
        except OperatorError as error:
            return self._refuse(_problems(error))
        except Exception as error:  # noqa: BLE001  # a bug; traffic goes on by what is in force
            return self._refuse((_bug(error),))
        self.refused = None
        if value is None:
            return Reloaded(self.what, Outcome.UNCHANGED, self.digest)
        return Reloaded(self.what, Outcome.REPLACED, self.digest)

    def _replace(self, texts: Mapping[str, str], value: T) -> None:
        before = self.texts, self.value
        self.texts, self.value = texts, value
        try:
            if self._put_in_force is not None:
                self._put_in_force(value)
        except BaseException:
            self.texts, self.value = before
            raise
        self.digest = digest(texts)

    def _read_aside(self) -> tuple[Mapping[str, str], T | None]:
        """The texts, and their meaning unless that is in force already."""
        texts = self._read_now()
        for _ in range(TRIES):
            if digest(texts) == self.digest:
                return texts, None
            before, texts = texts, self._read_now()
            if texts == before:
                return texts, self._parse(texts)
        raise OperatorError(f"{self.path} changes while it is read. It will be read again.")

    def _read_now(self) -> Mapping[str, str]:
        texts = self._read(self.path)
        self.paths = frozenset((self.path, *map(Path, texts)))
        return texts

    def _refuse(self, problems: tuple[str, ...]) -> Reloaded:
        before = self.refused
        known = before is not None and before.problems == problems
        since_us = before.since_us if before is not None and known else self._clock()
        self.refused = Refused(self.what, self.digest, problems, since_us)
        return Reloaded(self.what, Outcome.REFUSED, self.digest, problems)


def _bug(error: Exception) -> str:
    """Without the error's message, which may quote what was read: a key, if it is the accounts."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{place.filename.rpartition('/')[2]}:{place.lineno}"
    return f"gauger failed to read it: {type(error).__name__} at {where}. That is a bug of ours."


def _problems(error: OperatorError) -> tuple[str, ...]:
    if isinstance(error, Problems):
        return tuple(str(problem) for problem in error.problems)
    return (str(error),)
