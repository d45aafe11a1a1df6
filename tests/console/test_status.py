from tests.console.statuses import status


def test_a_process_that_stops_says_that_before_anything_else() -> None:
    assert (status(stopping=True, store_fault="timeout").unready or "").startswith("stopping")


def test_a_process_whose_store_answers_is_ready() -> None:
    assert status().unready is None
