"""What is asked of a model arrives as if no gauger were there, is charged as it was used, and the
program can read what remains."""

import pytest

from tests.sdk_matrix.matrix import CLIENTS, Matrix
from tests.sdk_matrix.page import PAGE, cells
from tests.sdk_matrix.table import answer, quotas
from tests.sdk_matrix.tasks import TASKS, Task

pytestmark = [
    pytest.mark.sdks,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("sdk_matrix"),
]

WRITTEN = cells(PAGE.read_text("utf-8"))

each_task = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
each_client = pytest.mark.parametrize("client", CLIENTS)


@pytest.fixture(autouse=True)
def here(matrix: Matrix, client: str) -> None:
    if client in matrix.missing:
        pytest.skip(f"{client}: {matrix.missing[client]}")


@each_client
@each_task
def test_the_page_tells_what_happens(matrix: Matrix, task: Task, client: str) -> None:
    assert answer(matrix, task.name, client) == WRITTEN[task.name, client]


@each_client
@each_task
def test_it_arrives_and_the_models_own_books_are_charged(
    matrix: Matrix, task: Task, client: str
) -> None:
    found = matrix.answers[task.name, client]
    if found.outcome.problem is not None:
        assert (task.name, found.outcome.problem.status) == ("embeddings", 404)  # Gemini's own
    else:
        assert found.faults == [] or found.outcome.cannot is not None


@each_client
@pytest.mark.parametrize(("task", "column"), [("plain", "plain"), ("stream", "streamed")])
def test_what_remains_is_readable_as_the_page_says(
    matrix: Matrix, task: str, column: str, client: str
) -> None:
    assert quotas(matrix, task, client) == WRITTEN[client, column]
