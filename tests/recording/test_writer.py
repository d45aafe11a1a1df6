import json
import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from gateway.recording import writer
from gateway.recording.lines import Line, encode
from gateway.recording.rotation import Rotation
from gateway.recording.writer import Writer
from gateway.replay.events import Begin, Dropped, Renewed

PATIENCE_S = 20.0


def line(name: str) -> Renewed:
    return Renewed(1.0, name)


def head(part: int) -> Sequence[Line]:
    return [Begin(0.0, "run", part, "memory", "1")]


class Disk(Rotation):
    """Takes nothing while it is stuck, and says when it is asked."""

    def __init__(self, path: Path, **of: Any) -> None:
        super().__init__(path, **{"size_bytes": 1 << 20, "compress": False, **of})
        self.stuck = False
        self.works = threading.Event()
        self.works.set()
        self.asked = threading.Event()

    def write(self, lines: bytes) -> None:
        self.asked.set()
        assert self.works.wait(PATIENCE_S)
        if self.stuck:
            raise OSError(28, "No space left on device")
        super().write(lines)


def written(path: Path) -> list[dict[str, Any]]:
    return [json.loads(one) for one in path.read_text().splitlines()]


def writes(
    disk: Rotation, lost: Callable[[str, int], None] = lambda _why, _count: None, **of: Any
) -> Writer:
    return Writer(
        disk,
        encode=lambda one: encode(one, None),
        head=head,
        missing=lambda count: Dropped(2.0, count),
        on_lost=lost,
        **of,
    )


def test_lines_are_written_in_their_order_after_the_head(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    subject = writes(Disk(path))
    subject.start()
    for at in range(2_500):
        subject.put(line(str(at)))
    subject.close()
    lines = written(path)
    assert lines[0] == {
        "event": "begin", "at": 0.0, "run": "run", "part": 0, "store": "memory", "gauger": "1"
    }  # fmt: skip
    assert [one["id"] for one in lines[1:]] == [str(at) for at in range(2_500)]


def test_each_file_begins_with_a_head_of_its_own(tmp_path: Path) -> None:
    subject = writes(Disk(tmp_path / "t.jsonl", size_bytes=100))
    subject.start()
    for name in "abc":
        subject._batch = [encode(line(name), None)]
        subject._drain()
    subject.close()
    files = sorted(tmp_path.glob("t*.jsonl"))
    parts = [written(one)[0]["part"] for one in files]
    assert sorted(parts) == list(range(len(files)))
    assert len(files) > 1
    assert sum(len(written(one)) - 1 for one in files) == 3


def test_whoever_has_no_room_is_counted_and_a_line_says_how_many_at_its_place(
    tmp_path: Path,
) -> None:
    lost: list[tuple[str, int]] = []
    disk = Disk(tmp_path / "t.jsonl")
    subject = writes(disk, lambda why, count: lost.append((why, count)), most_lines=3)
    subject.start()
    disk.works.clear()
    disk.asked.clear()
    subject.put(line("held"))
    assert disk.asked.wait(PATIENCE_S)  # the thread hangs in the disk, and the queue is empty
    for name in "abcdefg":
        subject.put(line(name))
    disk.works.set()
    while subject._waiting:
        threading.Event().wait(0.001)  # the thread says nothing when it has taken them
    subject.put(line("after"))
    subject.close()
    told = [(one["event"], one.get("id", one.get("count"))) for one in written(disk.path)[1:]]
    assert told == [
        ("renew", "held"),
        *(("renew", name) for name in "abc"),
        ("dropped", 4),
        ("renew", "after"),
    ]
    assert lost == [("queue", 1)] * 4


def test_a_disk_that_takes_nothing_for_a_while_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(writer, "TRY_AGAIN_S", 0.001)
    disk = Disk(tmp_path / "t.jsonl")
    subject = writes(disk)
    subject.start()
    disk.stuck = True
    with caplog.at_level(logging.WARNING):
        subject.put(line("a"))
        for _ in range(3):
            disk.asked.clear()
            assert disk.asked.wait(PATIENCE_S)
        subject.put(line("b"))
        disk.stuck = False
        subject.close()
    assert [one["id"] for one in written(disk.path)[1:]] == ["a", "b"]
    said = [record.getMessage() for record in caplog.records]
    assert len([one for one in said if "cannot be written (No space left" in one]) == 1
    assert len([one for one in said if "is written again" in one]) == 1


def test_what_could_not_be_written_by_the_end_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lost: list[tuple[str, int]] = []
    disk = Disk(tmp_path / "t.jsonl")
    subject = writes(disk, lambda why, count: lost.append((why, count)))
    subject.start()
    disk.stuck = True
    subject.put(line("a"))
    subject.put(line("b"))
    subject.close()
    assert lost == [("stop", 2)]
    assert "2 lines could not be written" in caplog.text


def test_a_line_that_is_too_long_is_replaced_by_one_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "LONGEST_LINE_BYTES", 200)
    lost: list[tuple[str, int]] = []
    disk = Disk(tmp_path / "t.jsonl")
    subject = writes(disk, lambda why, count: lost.append((why, count)))
    subject.start()
    subject.put(line("x" * 300))
    subject.put(line("y"))
    subject.close()
    assert [one["event"] for one in written(disk.path)[1:]] == ["dropped", "renew"]
    assert lost == [("size", 1)]


def test_a_file_that_cannot_be_opened_is_told_at_once(tmp_path: Path) -> None:
    subject = writes(Disk(tmp_path / "nowhere" / "t.jsonl"))
    with pytest.raises(FileNotFoundError):
        subject.start()
