"""The directories in which a change can concern a file or directory that operators name.

A mounted ConfigMap is links into a hidden `..data`, itself a link that is swapped for another; a
release is often a link `current`. So each directory on the way is watched, never a file: a file
that is replaced is another file.
"""

import contextlib
from collections.abc import Iterable
from pathlib import Path


def places(roots: Iterable[Path]) -> set[Path]:
    """Real directories, for all roots, whether or not those exist at the moment.

    What cannot be read is left out.
    """
    found: set[Path] = set()
    for root in roots:
        found.add(_nearest(root.absolute()))
        _gather(root.absolute(), found)
    return {directory for directory in found if directory.is_dir()}


def _nearest(root: Path) -> Path:
    """What exists of the way to it: there it will appear again."""
    return next(directory for directory in root.parents if directory.is_dir()).resolve()


def _gather(root: Path, found: set[Path]) -> None:
    waiting, entered = [root], set[Path]()
    while waiting:
        named = waiting.pop()
        with contextlib.suppress(OSError, RuntimeError):  # 3.11 and 3.12 raise for a link to itself
            real = named.resolve()
            found.update((named.parent.resolve(), real.parent))
            if real.is_dir() and real not in entered:
                found.add(real)
                entered.add(real)
                waiting += [entry for entry in named.iterdir() if not entry.name.startswith(".")]
