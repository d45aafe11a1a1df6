"""The matrix as it is shown: on a terminal, as JSON, and as `gateway/docs/sdks.md` has it."""

import json
from collections.abc import Callable, Iterator, Sequence

from rich.table import Table

from tests.sdk_matrix.matrix import CLIENTS, FAMILIES, Matrix
from tests.sdk_matrix.scenes import SCENES
from tests.sdk_matrix.tasks import TASKS

NOT_SEEN = "?"
"""The SDK is not installed here."""

Row = tuple[str, ...]


def refusal_rows(matrix: Matrix, clients: Sequence[str]) -> list[Row]:
    """Refusal, what is answered, and a cell for each client."""
    rows = []
    for scene in SCENES:
        own = matrix.reactions.get((scene.name, clients[0]))
        answered = _answered(own.outcome.problem) if own else NOT_SEEN
        cells = [reaction(matrix, scene.name, client) for client in clients]
        rows.append((scene.name, answered, *cells))
    return rows


def reaction(matrix: Matrix, scene: str, client: str) -> str:
    """A star: the status or the code that the client shows is not the one that was answered."""
    seen = matrix.reactions.get((scene, client))
    own = next(clients[0] for clients in FAMILIES.values() if client in clients)
    reference = matrix.reactions.get((scene, own))
    if seen is None:
        return NOT_SEEN
    if reference is None or client == own or seen.outcome.problem is None:
        return seen.text
    shown, right = _answered(seen.outcome.problem), _answered(reference.outcome.problem)
    return seen.text if shown == right or seen.attempts == 0 else f"{seen.text} *"


def task_rows(matrix: Matrix, clients: Sequence[str]) -> list[Row]:
    return [
        (task.name, *(answer(matrix, task.name, client) for client in clients)) for task in TASKS
    ]


def answer(matrix: Matrix, task: str, client: str) -> str:
    seen = matrix.answers.get((task, client))
    return NOT_SEEN if seen is None else seen.text


def quota_rows(matrix: Matrix) -> list[Row]:
    """Client, and by which names a program reads what remains: plain, streamed."""
    return [
        (client, *(quotas(matrix, task, client) for task in ("plain", "stream")))
        for client in CLIENTS
    ]


def quotas(matrix: Matrix, task: str, client: str) -> str:
    seen = matrix.answers.get((task, client))
    if seen is None:
        return NOT_SEEN
    return ", ".join(f"`{name}`" for name in seen.quota_names) or "no"


def markdown(matrix: Matrix) -> str:
    """The page's tables, each under its heading."""
    return "\n".join(_sections(matrix, _markdown_table))


def terminal(matrix: Matrix) -> Iterator[Table]:
    for family, clients in FAMILIES.items():
        yield _rich(
            f"{family}: refusals", ("", "answered", *clients), refusal_rows(matrix, clients)
        )
        yield _rich(f"{family}: requests", ("", *clients), task_rows(matrix, clients))
    yield _rich("What remains is readable", ("", "plain", "streamed"), quota_rows(matrix))


def as_json(matrix: Matrix) -> str:
    document = {
        "versions": matrix.versions,
        "missing": matrix.missing,
        "refusals": [
            {
                "refusal": scene,
                "client": client,
                "seen": seen.text,
                "error": seen.outcome.problem and seen.outcome.problem.name,
                "status": seen.outcome.problem and seen.outcome.problem.status,
                "code": seen.outcome.problem and seen.outcome.problem.code,
                "attempts": seen.attempts,
                "told_s": [answer.told_s for answer in seen.answers],
                "pauses_s": seen.outcome.pauses_s,
            }
            for (scene, client), seen in matrix.reactions.items()
        ],
        "requests": [
            {"request": task, "client": client, "seen": seen.text, "quotas": seen.quota_names}
            for (task, client), seen in matrix.answers.items()
        ],
    }
    return json.dumps(document, indent=1)


def _answered(problem: object) -> str:
    status, code = getattr(problem, "status", None), getattr(problem, "code", None)
    told = " ".join([str(status)] * (status is not None) + [f"`{code}`"] * (code is not None))
    return told or "-"


def _sections(matrix: Matrix, table: Callable[[Row, list[Row]], str]) -> Iterator[str]:
    for family, clients in FAMILIES.items():
        yield f"### {family}\n"
        yield table(("refusal", "answered", *clients), refusal_rows(matrix, clients))
    yield "## What is asked for\n"
    for clients in FAMILIES.values():
        yield table(("request", *clients), task_rows(matrix, clients))
    yield "## What remains\n"
    yield table(("client", "plain", "streamed"), quota_rows(matrix))


def _markdown_table(head: Row, rows: list[Row]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _rich(title: str, head: Row, rows: list[Row]) -> Table:
    table = Table(*head, title=title)
    for row in rows:
        table.add_row(*row)
    return table
