from pathlib import Path

import pytest

from gateway.replay.record import Record
from gateway.replay.traffic import SHOWN, OnBroken, Traffic
from gateway.replay.traffic_source import TrafficSource
from gateway.source.problems import Problems
from tests.replay.traffic_files import START_S, line, record, write


def traffic(*paths: Path, on_broken: OnBroken = OnBroken.STOP) -> Traffic:
    return Traffic([TrafficSource(str(path)) for path in paths], on_broken)


def times(of: Traffic) -> list[float]:
    return [found.at - START_S for found in of]


def test_files_are_merged_by_time(tmp_path: Path) -> None:
    first = write(tmp_path / "a.jsonl", [record(at) for at in (1, 4, 5)])
    second = write(tmp_path / "b.jsonl.gz", [record(at) for at in (0, 2, 3, 9)])
    assert times(traffic(first, second)) == [0, 1, 2, 3, 4, 5, 9]


def test_at_the_same_time_the_file_that_was_named_first_is_first(tmp_path: Path) -> None:
    first = write(tmp_path / "z.jsonl", [record(1, "of-z"), record(1, "also-of-z")])
    second = write(tmp_path / "a.jsonl", [record(1, "of-a")])
    accounts = [found.account for found in traffic(first, second) if isinstance(found, Record)]
    assert accounts == ["of-z", "also-of-z", "of-a"]


def test_a_file_is_open_only_while_its_time_lasts(tmp_path: Path) -> None:
    """A thousand rotated files are no reason for a thousand handles."""
    paths = [write(tmp_path / f"{at}.jsonl", [record(at), record(at + 0.5)]) for at in range(40)]
    before = len(list(Path("/dev/fd").iterdir()))
    most = max(len(list(Path("/dev/fd").iterdir())) for _ in traffic(*paths))
    assert most <= before + 2


def test_a_file_without_records_is_no_end(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n\n")
    full = write(tmp_path / "full.jsonl", [record(1)])
    assert times(traffic(tmp_path / "empty.jsonl", full)) == [1]


@pytest.mark.parametrize(
    ("broken", "where", "what"),
    [
        ('{"at": 1780000001, "account": "a", "path": "/x",}', "2:49", "JSON is malformed"),
        ('{"at": 1780000001, "account": "a"}', "2:1", "missing required field `path`"),
        ('{"at": "soon", "account": "a", "path": "/x"}', "2:1", "Expected `float`, got `str`"),
        ('{"at": 1780000000123456, "account": "a", "path": "/x"}', "2:1", "<= 100000000000"),
        ('{"at": 1780000001, "account": "", "path": "/x"}', "2:1", "length >= 1"),
        ('["prompt"]', "2:1", "Expected `object`, got `array`"),
    ],
)
def test_a_broken_line_is_told_with_its_place(
    tmp_path: Path, broken: str, where: str, what: str
) -> None:
    path = tmp_path / "traffic.jsonl"
    path.write_text(line(record(0)) + broken + "\n" + line(record(2)))
    with pytest.raises(Problems) as raised:
        times(traffic(path))
    (problem,) = raised.value.problems
    assert str(problem).startswith(f"{path}:{where}: ")
    assert what in problem.message
    skipping = traffic(path, on_broken=OnBroken.SKIP)
    assert times(skipping) == [0, 2]
    assert skipping.broken == 1
    assert skipping.problems == [problem]


def test_bytes_that_are_no_text_are_a_broken_line(tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    path.write_bytes(line(record(0)).encode().replace(b"acct_1", b"acct_\xff"))
    with pytest.raises(Problems, match=r"traffic\.jsonl:1:"):
        times(traffic(path))


def test_no_value_of_a_broken_line_is_repeated(tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    path.write_text('{"at": "my secret prompt", "account": ["my secret prompt"]}\n')
    with pytest.raises(Problems) as raised:
        times(traffic(path))
    assert "secret" not in str(raised.value)


def test_time_that_runs_backwards_is_told_with_its_place(tmp_path: Path) -> None:
    path = write(tmp_path / "traffic.jsonl", [record(5), record(4), record(6)])
    with pytest.raises(Problems, match=r"traffic\.jsonl:2:1: Time runs backwards"):
        times(traffic(path))
    skipping = traffic(path, on_broken=OnBroken.SKIP)
    assert times(skipping) == [5, 6]
    assert skipping.broken == 1


def test_in_a_merge_each_broken_line_counts_once(tmp_path: Path) -> None:
    first = tmp_path / "a.jsonl"
    first.write_text("{\n" + line(record(1)) + "{\n")
    second = tmp_path / "b.jsonl"
    second.write_text("{\n{\n")
    both = traffic(first, second, on_broken=OnBroken.SKIP)
    assert times(both) == [1]
    assert both.broken == 4
    assert sorted((p.file, p.line) for p in both.problems) == [
        (str(first), 1),
        (str(first), 3),
        (str(second), 1),
        (str(second), 2),
    ]


def test_only_the_first_broken_lines_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    path.write_text("{\n" * 500)
    skipping = traffic(path, on_broken=OnBroken.SKIP)
    assert times(skipping) == []
    assert skipping.broken == 500
    assert len(skipping.problems) == SHOWN


def test_a_record_can_be_rejected_by_whoever_reads_it(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{n}.jsonl", [record(n), record(n + 1)]) for n in (0, 5)]
    both = traffic(*paths, on_broken=OnBroken.SKIP)
    for found in both:
        if found.at == START_S + 6:
            both.reject("This one is of no use.")
    assert [str(problem) for problem in both.problems] == [
        f"{paths[1]}:2:1: This one is of no use."
    ]


def test_unknown_fields_are_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path / "traffic.jsonl", [record(1, trace="4bf92f", extra={"a": [1]})])
    assert times(traffic(path)) == [1]
