"""That a change of files ends the waiting, however it came about."""

import asyncio
import contextlib
import errno
import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway.reload import watch as watch_module
from gateway.reload.watch import FileWatch
from tests.reload.files import ConfigMap, replace

CHANGED_S = 20.0


@contextlib.asynccontextmanager
async def watching(*roots: Path, every_s: float | None = None) -> AsyncIterator[FileWatch]:
    watch = FileWatch(lambda: roots, every_s)
    try:
        await watch.renew()
        yield watch
    finally:
        await watch.aclose()


async def seen(watch: FileWatch) -> None:
    async with asyncio.timeout(CHANGED_S):
        await watch.change()


def overwrite(directory: Path) -> None:
    (directory / "a.yaml").write_text("after")


def replace_file(directory: Path) -> None:
    replace(directory / "a.yaml", "after")


def add(directory: Path) -> None:
    (directory / "b.yaml").write_text("new")


def remove(directory: Path) -> None:
    (directory / "a.yaml").unlink()


def replace_directory(directory: Path) -> None:
    shutil.rmtree(directory)
    directory.mkdir()


@pytest.mark.parametrize("change", [overwrite, replace_file, add, remove, replace_directory])
async def test_a_change_is_seen_that_came_before_anybody_waited(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    directory = tmp_path / "policies"
    directory.mkdir()
    (directory / "a.yaml").write_text("before")
    async with watching(directory) as watch:
        change(directory)
        await seen(watch)


async def test_the_swap_of_a_config_map_is_seen_each_time(tmp_path: Path) -> None:
    mounted = ConfigMap(tmp_path, {"a.yaml": "1"})
    async with watching(tmp_path) as watch:
        for version in ("2", "3"):
            mounted.swap({"a.yaml": version})
            await seen(watch)
            await watch.renew()


async def test_a_directory_that_was_made_again_is_watched_again(tmp_path: Path) -> None:
    directory = tmp_path / "policies"
    directory.mkdir()
    async with watching(directory) as watch:
        replace_directory(directory)
        await seen(watch)
        await watch.renew()
        add(directory)
        await seen(watch)


async def test_a_file_that_a_link_leads_to_is_watched(tmp_path: Path) -> None:
    for name in ("etc", "store"):
        (tmp_path / name).mkdir()
    (tmp_path / "store" / "a.yaml").write_text("before")
    (tmp_path / "etc" / "accounts.yaml").symlink_to("../store/a.yaml")
    async with watching(tmp_path / "etc" / "accounts.yaml") as watch:
        overwrite(tmp_path / "store")
        await seen(watch)


async def test_where_nothing_changes_one_looks_now_and_then(tmp_path: Path) -> None:
    async with watching(tmp_path, every_s=0.01) as watch:
        await seen(watch)


async def test_reading_is_no_change(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("read")
    async with watching(tmp_path) as watch:
        (tmp_path / "a.yaml").read_text()
        os.listdir(tmp_path)  # noqa: PTH208  # what opens the directory itself
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await watch.change()


async def test_what_cannot_be_watched_is_looked_at_and_that_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def none_left(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "no watches are left")

    monkeypatch.setattr(watch_module, "RustNotify", none_left)
    async with watching(tmp_path, every_s=0.01) as watch:
        await watch.renew()
        await seen(watch)
    (record,) = caplog.records
    assert "no watches are left. They are read every 0.01 s instead." in record.getMessage()


async def test_the_waiting_can_be_given_up(tmp_path: Path) -> None:
    async with watching(tmp_path) as watch:
        waiting = asyncio.create_task(watch.change())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
