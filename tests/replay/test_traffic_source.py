import gzip
import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.replay import traffic_source
from gateway.replay.traffic_source import TrafficSource, UnreadableTraffic
from gateway.source.problems import Problems


def lines(path: Path) -> list[bytes]:
    return list(TrafficSource(str(path)).lines())


@pytest.mark.parametrize("piece_bytes", [1, 2, 3, 7, 1 << 20])
def test_lines_are_the_same_wherever_the_pieces_are_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece_bytes: int
) -> None:
    monkeypatch.setattr(traffic_source, "PIECE_BYTES", piece_bytes)
    path = tmp_path / "traffic"
    path.write_bytes(b"one\n\ntwo\nlast without an end")
    assert lines(path) == [b"one", b"", b"two", b"last without an end"]


def test_gzip_is_known_by_its_bytes_and_not_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    path.write_bytes(gzip.compress(b"one\n") + gzip.compress(b"two\n"))
    assert lines(path) == [b"one", b"two"]


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    (tmp_path / "traffic").write_bytes(b"")
    assert lines(tmp_path / "traffic") == []


def test_standard_input_may_be_compressed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    given = io.BytesIO(gzip.compress(b"one\ntwo\n"))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=given))
    source = TrafficSource("-")
    assert list(source.lines()) == [b"one", b"two"]
    assert source.name == "<standard input>"
    assert source.size_bytes() is None


def test_a_cut_off_file_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "traffic.gz"
    path.write_bytes(gzip.compress(b"one\ntwo\n" * 10_000)[:-20])
    with pytest.raises(Problems, match=r"traffic\.gz:\d+:1: .*damaged or cut off"):
        lines(path)


def test_a_line_without_end_does_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traffic_source, "LONGEST_LINE_BYTES", 100)
    monkeypatch.setattr(traffic_source, "PIECE_BYTES", 64)
    path = tmp_path / "traffic"
    path.write_bytes(b"short\n" + b"x" * 1000)
    with pytest.raises(Problems, match="traffic:2:1: This line is longer"):
        lines(path)


def test_what_is_not_there_is_told_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(UnreadableTraffic, match="No such file"):
        TrafficSource(str(tmp_path / "nothing")).size_bytes()


def test_a_directory_is_no_traffic(tmp_path: Path) -> None:
    with pytest.raises(UnreadableTraffic, match=r"is a directory\. Name the traffic files"):
        TrafficSource(str(tmp_path)).size_bytes()


def test_the_position_is_told_in_the_bytes_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "traffic.gz"
    path.write_bytes(gzip.compress(b"one\n" * 1000))
    source = TrafficSource(str(path))
    assert source.position_bytes() == 0
    read = source.lines()
    assert next(read) == b"one"
    assert source.position_bytes() == path.stat().st_size == source.size_bytes()
    assert len(list(read)) == 999
