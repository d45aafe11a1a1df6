"""What each SDK makes of each refusal: the page says it, and here it is seen."""

from collections.abc import Iterable

import pytest

from tests.sdk_matrix.matrix import CLIENTS, FAMILIES, Matrix, Reaction
from tests.sdk_matrix.page import PAGE, cells
from tests.sdk_matrix.scenes import SCENES, Scene
from tests.sdk_matrix.table import reaction

pytestmark = [
    pytest.mark.sdks,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("sdk_matrix"),
]

WRITTEN = cells(PAGE.read_text("utf-8"))
DEAF = {"litellm openai/ with num_retries=2", "google-genai with retry_options"}
"""Told to retry by their programs, they do, whatever the answer says."""
AI_SDK = {client for client in CLIENTS if client.startswith("AI SDK")}
"""It knows no `x-should-retry`, and obeys no wait above a minute."""
LONGEST_PAUSE_S = 62.0

each_scene = pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
each_client = pytest.mark.parametrize("client", CLIENTS)


def seen(matrix: Matrix, scene: Scene, client: str) -> Reaction:
    if client in matrix.missing:
        pytest.skip(f"{client}: {matrix.missing[client]}")
    return matrix.reactions[scene.name, client]


def of(matrix: Matrix, scene: Scene) -> Iterable[tuple[str, Reaction]]:
    """Every client that could ask."""
    for client in CLIENTS:
        found = matrix.reactions.get((scene.name, client))
        if found is not None and found.attempts:
            yield client, found


@each_client
@each_scene
def test_the_page_tells_what_happens(matrix: Matrix, scene: Scene, client: str) -> None:
    seen(matrix, scene, client)
    assert reaction(matrix, scene.name, client) == WRITTEN[scene.name, client]


@each_client
@each_scene
def test_the_sdk_is_told_with_the_status_of_the_refusal(
    matrix: Matrix, scene: Scene, client: str
) -> None:
    found = seen(matrix, scene, client)
    served = found.outcome.problem is None and found.outcome.cannot is None
    refusals = found.answers[:-1] if served else found.answers
    assert len(found.answers) == found.attempts
    own = scene.status_of_anthropic if client in FAMILIES["Anthropic"] else None
    assert {answer.status for answer in refusals} <= {own or scene.status}


@each_client
@each_scene
def test_what_gauger_refuses_does_not_reach_the_model(
    matrix: Matrix, scene: Scene, client: str
) -> None:
    found = seen(matrix, scene, client)
    if found.attempts == 0:  # what the scene does before is done at the first request
        assert found.reached == 0
    else:
        passed = found.attempts if scene.passes else int(found.outcome.problem is None)
        assert found.reached == scene.before + passed


@each_scene
def test_a_refusal_is_an_error_unless_waiting_cured_it(matrix: Matrix, scene: Scene) -> None:
    for client, found in of(matrix, scene):
        cured = found.outcome.problem is None
        assert not cured or scene.sleeps, client


@pytest.mark.parametrize(
    "scene", [s for s in SCENES if not s.cured_by_waiting], ids=lambda scene: scene.name
)
def test_what_waiting_cannot_cure_is_asked_once(matrix: Matrix, scene: Scene) -> None:
    attempts = {client: found.attempts for client, found in of(matrix, scene)}
    assert {client for client, count in attempts.items() if count > 1} <= DEAF


@pytest.mark.parametrize(
    "scene", [s for s in SCENES if "10 min" in s.name], ids=lambda scene: scene.name
)
def test_a_long_wait_is_raised_at_once_and_not_slept(matrix: Matrix, scene: Scene) -> None:
    for client, found in of(matrix, scene):
        assert found.attempts == 1 or client in DEAF | AI_SDK, client


@each_scene
def test_nobody_is_put_to_sleep_for_more_than_a_minute(matrix: Matrix, scene: Scene) -> None:
    for client, found in of(matrix, scene):
        assert max(found.outcome.pauses_s, default=0.0) <= LONGEST_PAUSE_S, client


def test_who_waits_as_told_is_served(matrix: Matrix) -> None:
    slept = next(scene for scene in SCENES if scene.sleeps)
    for client, found in of(matrix, slept):
        if found.attempts > 1:
            assert found.outcome.problem is None, client
            assert found.outcome.said.text, client


def test_a_stream_that_broke_off_is_never_taken_for_a_whole_one(matrix: Matrix) -> None:
    broken = next(scene for scene in SCENES if scene.name == "broken off, stream")
    for client, found in of(matrix, broken):
        assert found.outcome.problem is not None, client
        assert found.attempts == 1, client


def test_every_row_and_column_of_the_page_is_of_the_matrix() -> None:
    for scene in SCENES:
        for client in CLIENTS:
            assert (scene.name, client) in WRITTEN
