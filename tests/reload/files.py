"""What operators do to files, and what gauger says about it."""

import asyncio
import logging
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

SAID_S = 20.0


def policy(quota_id: str, limit: str) -> str:
    return f"quotas:\n  - id: {quota_id}\n    why: A test.\n    limit: {limit}\n    per: account\n"


def replace(file: Path, text: str) -> None:
    """As editors do: the file is never there by halves. The draft is no policy file."""
    draft = file.with_name(f".{file.name}.draft")
    draft.write_text(text)
    draft.replace(file)


class ConfigMap:
    """A directory as kubelet mounts it: links into `..data`, itself a link that is swapped."""

    def __init__(self, directory: Path, files: Mapping[str, str]) -> None:
        self._directory = directory
        self._versions = 0
        self.swap(files)
        for name in files:
            (directory / name).symlink_to(f"..data/{name}")

    def swap(self, files: Mapping[str, str]) -> None:
        """All files at once."""
        data = self._directory / "..data"
        old = data.readlink() if data.is_symlink() else None
        self._versions += 1
        version = self._directory / f"..version_{self._versions}"
        version.mkdir()
        for name, text in files.items():
            (version / name).write_text(text)
        (self._directory / "..data_tmp").symlink_to(version.name)
        os.replace(self._directory / "..data_tmp", data)  # noqa: PTH105  # kubelet's own step
        if old is not None:
            shutil.rmtree(self._directory / old)


class Said(logging.Handler):
    """What gauger logs about its files, to be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[str] = []
        self._more = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(record.getMessage())
        self._more.set()

    async def until(self, *words: str) -> str:
        """The next line that holds all of these words; what came before it is forgotten."""
        async with asyncio.timeout(SAID_S):
            while True:
                while self._lines:
                    line = self._lines.pop(0)
                    if all(word in line for word in words):
                        return line
                self._more.clear()
                await self._more.wait()


@asynccontextmanager
async def listening() -> AsyncIterator[Said]:
    said, logger = Said(), logging.getLogger("gateway.reload")
    level = logger.level
    logger.addHandler(said)
    logger.setLevel(logging.INFO)
    try:
        yield said
    finally:
        logger.removeHandler(said)
        logger.setLevel(level)
