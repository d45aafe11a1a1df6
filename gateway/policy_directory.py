"""Texts of policy files from the disk, by name; what they mean is for `policy.parse`."""

from collections.abc import Iterator
from pathlib import Path

from gateway.errors import OperatorError
from gateway.policy.phrase_lists import named_in
from gateway.source.problems import START, Place, Problem, Problems, Source
from gateway.source.yaml_text import MAX_BYTES, too_large

SUFFIXES = (".yaml", ".yml")
SCENARIO = (".scenario.yaml", ".scenario.yml")


class NoPolicies(OperatorError):
    """There is nothing to read where the operator points."""


def read_texts(path: Path) -> dict[str, str]:
    """A file, or all *.yaml and *.yml under a directory, and the lists of phrases that they name.

    Links are followed: a mounted ConfigMap is links into a hidden `..data`. Whatever begins with
    a dot is passed over, and so are scenarios. Raises `NoPolicies`, and `Problems` of files.
    """
    files = list(_files(path, frozenset())) if path.is_dir() else [path]
    if not path.exists():
        raise NoPolicies(f"{path} does not exist. Name a policy file, or a directory of them.")
    if not files:
        raise NoPolicies(
            f"{path} holds no policy file. Allowed: *.yaml, *.yml. Without policies nothing would "
            "be limited, so put one there."
        )
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    for file in files:
        try:
            texts[file.as_posix()] = read_text(file)
        except Problems as raised:
            problems += raised.problems
    for name in sorted({name for file in texts.items() for name in named_in(*file)}):
        try:
            if Path(name).exists():  # if not, it is told where it is named
                texts[name] = read_text(Path(name))
        except Problems as raised:
            problems += raised.problems
    if problems:
        raise Problems(problems)
    return texts


def _files(directory: Path, inside: frozenset[Path]) -> Iterator[Path]:
    """`inside` are the real directories around this one: a link back to one of them is a circle."""
    real = directory.resolve()
    if real in inside:
        return
    try:
        entries = sorted(directory.iterdir())
    except OSError as error:
        raise NoPolicies(f"{directory} cannot be read: {error.strerror}.") from error
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _files(entry, inside | {real})
        elif entry.name.endswith(SUFFIXES) and not entry.name.endswith(SCENARIO):
            yield entry


def read_text(file: Path) -> str:
    """One file, and not more of it than `MAX_BYTES`. Raises `Problems`."""
    name = file.as_posix()
    if not file.is_file():  # a pipe would be waited for, a link may lead nowhere
        raise Problems([Source(name, "").problem(START, "This is not a file that can be read.")])
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
            size = file.stat().st_size
    except OSError as error:
        message = f"The file cannot be read: {error.strerror}."
        raise Problems([Source(name, "").problem(START, message)]) from error
    if len(content) > MAX_BYTES:
        raise Problems([Source(name, "").problem(START, too_large(max(size, len(content))))])
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        before = Source(name, content[: error.start].decode() + "\ufffd", secret=True)
        place = Place(len(before.lines) - 1, len(before.lines[-1]) - 1)
        message = f"The byte 0x{content[error.start]:02X} is not UTF-8. Save the file as UTF-8."
        raise Problems([before.problem(place, message)]) from error
