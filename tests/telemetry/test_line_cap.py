from gateway.telemetry.line_cap import LineCap

SECOND_US = 1_000_000
NOW_US = 1_780_000_000 * SECOND_US


def test_each_second_takes_so_many_lines_and_no_more() -> None:
    cap = LineCap(2)
    assert [cap.take(NOW_US + i) for i in range(4)] == [True, True, False, False]
    assert [cap.take(NOW_US + SECOND_US + i) for i in range(3)] == [True, True, False]


def test_what_was_left_out_is_told_once() -> None:
    cap = LineCap(1)
    for i in range(4):
        cap.take(NOW_US + i)
    assert [cap.told(), cap.told()] == [3, 0]
