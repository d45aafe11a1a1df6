"""npm packages for tests, installed once, outside the repository."""

import asyncio
import hashlib
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

OLDEST_NODE = 20
INSTALL_S = 300.0


@dataclass(frozen=True, slots=True)
class Missing:
    """Why there are no packages."""

    reason: str


async def node_packages(package_json: str) -> Path | Missing:
    """The directory that has `node_modules`, for the text of a `package.json`.

    It lies in `GAUGER_TEST_NODE_PACKAGES` or the user's cache, under a name made of the text,
    and is installed by npm if it is not there.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return Missing("there is no node and npm")
    version = (await _run(node, "--version"))[1]
    major = re.match(r"v(\d+)", version)
    if major is None or int(major[1]) < OLDEST_NODE:
        return Missing(f"node is {version.strip()}, and {OLDEST_NODE} is needed")
    text = package_json.encode()
    directory = _cache() / hashlib.sha256(text).hexdigest()[:16]
    if directory.exists():
        return directory
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory.parent) as made:
        beginning = Path(made) / "packages"
        beginning.mkdir()
        (beginning / "package.json").write_bytes(text)
        code, said = await _run(
            *(npm, "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"),
            directory=beginning,
        )
        if code:
            return Missing(f"npm install failed: {said.strip().splitlines()[-1:]}")
        try:
            beginning.rename(directory)  # whole or not at all, whoever else installs the same
        except OSError:
            if not directory.exists():
                raise
    return directory


def _cache() -> Path:
    told = os.environ.get("GAUGER_TEST_NODE_PACKAGES")
    if told:
        return Path(told)
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "gauger-tests" / "node"


async def _run(*command: str, directory: Path | None = None) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=directory,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(INSTALL_S):
        said, _ = await process.communicate()
    return process.returncode or 0, said.decode(errors="replace")
