"""What an operator sees of an error: where, what, the line itself with a caret, what to do."""

import sys
from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from gateway.errors import OperatorError
from gateway.source.problems import Problem, Problems

PROBLEMS, UNUSABLE = 1, 2
"""Exit codes: something in a file is wrong; the command line or a setting is."""


def console(*, stderr: bool) -> Console:
    """Colours on a terminal only, and lines that are never broken in the middle of a path."""
    return Console(stderr=stderr, highlight=False, soft_wrap=True, emoji=False)


def report(error: OperatorError) -> int:
    """Writes the error to standard error; returns the exit code."""
    if isinstance(error, Problems):
        show_problems(error.problems, console(stderr=True))
        sys.stderr.write(f"{counted(len(error.problems), 'problem')}\n")
        return PROBLEMS
    to = console(stderr=True)
    for line in str(error).splitlines():
        label = Text("" if line.startswith(" ") else "error: ", style="bold red")
        to.print(label + Text(line, style="default"))
    return UNUSABLE


def counted(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def warn(message: str) -> None:
    console(stderr=True).print(Text("warning: ", style="bold yellow") + Text(message))


def show_problems(problems: Iterable[Problem], to: Console, *, warning: bool = False) -> None:
    """`file:line:column: message`, which editors and CI systems know, then the line itself."""
    style = "bold yellow" if warning else "bold red"
    for problem in problems:
        where = Text(f"{problem.file}:{problem.line}:{problem.column}: ", style="bold")
        to.print(where + Text("warning: " if warning else "", style=style) + Text(problem.message))
        if problem.excerpt:
            number = f"{problem.line:>5} | "
            to.print(Text(number, style="dim") + Text(problem.excerpt))
            to.print(Text(" " * (len(number) - 2) + "| " + " " * (problem.column - 1)), end="")
            to.print(Text("^", style=style))


def tell(message: str) -> None:
    """For eyes only: standard output may be going into a variable."""
    sys.stderr.write(message + "\n")
