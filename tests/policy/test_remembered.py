from gateway.policy.remembered import Remembered


def test_an_answer_is_worked_out_once() -> None:
    worked_out: list[int] = []

    def double(number: int) -> int:
        worked_out.append(number)
        return 2 * number

    doubled = Remembered(double)
    assert [doubled(4), doubled(4), doubled(5)] == [8, 8, 10]
    assert worked_out == [4, 5]


def test_nothing_is_also_an_answer() -> None:
    asked: list[str] = []
    nothing = Remembered(asked.append)
    nothing("a")
    nothing("a")
    assert asked == ["a"]


def test_what_was_asked_longest_ago_is_forgotten_first() -> None:
    asked: list[int] = []
    remembered = Remembered(asked.append, most=2)
    for number in (1, 2, 1, 3, 1, 2):
        remembered(number)
    assert asked == [1, 2, 3, 2]
    assert len(remembered) == 2
