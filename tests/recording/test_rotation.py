import errno
import gzip
import os
import stat
from pathlib import Path

import pytest

from gateway.recording.rotation import Rotation


def rotation(path: Path, *, compress: bool = False) -> Rotation:
    return Rotation(path, size_bytes=10, compress=compress)


def test_what_is_put_aside_is_numbered_in_the_order_of_its_making(tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    subject = rotation(path)
    for text in (b"first\n", b"second\n", b"third\n"):
        subject.open()
        subject.write(text)
        subject.close()
    assert path.read_bytes() == b"third\n"
    assert (tmp_path / "traffic-000001.jsonl").read_bytes() == b"first\n"
    assert (tmp_path / "traffic-000002.jsonl").read_bytes() == b"second\n"


def test_a_file_is_full_once_it_holds_so_much(tmp_path: Path) -> None:
    subject = rotation(tmp_path / "t.jsonl")
    subject.open()
    subject.write(b"123456789")
    assert not subject.is_full
    subject.write(b"0")
    assert subject.is_full
    subject.close()
    assert not subject.is_open


def test_what_was_put_aside_is_compressed_and_numbers_go_on_after_it(tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    for text in (b"first\n", b"second\n", b"third\n"):
        subject = rotation(path, compress=True)
        subject.open()
        subject.write(text)
        subject.close()
        subject.join(10)
    packed = sorted(tmp_path.glob("*.gz"))
    assert [one.name for one in packed] == ["traffic-000001.jsonl.gz", "traffic-000002.jsonl.gz"]
    assert [gzip.decompress(one.read_bytes()) for one in packed] == [b"first\n", b"second\n"]
    assert sorted(tmp_path.iterdir()) == [*packed, path]


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    for _ in range(2):
        subject = rotation(path, compress=True)
        subject.open()
        subject.write(b"a line\n")
        subject.close()
        subject.join(10)
    assert {stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()} == {0o600}


def test_a_full_disk_leaves_no_half_of_a_line(tmp_path: Path) -> None:
    class Full:
        """Takes five bytes, and then no more."""

        def __init__(self, path: Path) -> None:
            self._file = path.open("wb", buffering=0)
            self.truncate, self.seek, self.close = (
                self._file.truncate,
                self._file.seek,
                self._file.close,
            )
            self._room = 5

        def write(self, data: bytes) -> int:
            if not self._room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            written = self._file.write(data[: self._room])
            self._room -= written
            return written

    subject = rotation(tmp_path / "t.jsonl")
    subject.open()
    subject.close()
    subject._file = Full(tmp_path / "t.jsonl")  # type: ignore[assignment]  # what is used of one
    subject.write(b"1\n")
    with pytest.raises(OSError, match="No space left"):
        subject.write(b"longer than the rest\n")
    subject.close()
    assert (tmp_path / "t.jsonl").read_bytes() == b"1\n"
