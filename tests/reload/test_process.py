"""SIGHUP, to a gauger that is a process of its own."""

import signal
from pathlib import Path

import pytest

from gateway.policy.parse import digest
from gateway.policy_directory import read_texts
from tests.parts.gauger_process import gauger
from tests.reload.files import policy, replace

UPSTREAM = "http://127.0.0.1:9"
"""Nobody is asked."""


@pytest.mark.parametrize("every", ["off", "30s"])
async def test_a_hang_up_reads_anew_and_ends_nothing(tmp_path: Path, every: str) -> None:
    file = tmp_path / "policies" / "quotas.yaml"
    file.parent.mkdir()
    file.write_text(policy("requests", "5 requests/minute"))
    before = digest(read_texts(file.parent))
    async with gauger(file.parent, UPSTREAM, "--reload-every", every) as running:
        running.process.send_signal(signal.SIGHUP)
        await running.said("policies: nothing is new", before, "(SIGHUP)")

        replace(file, "quotas: [{id: a, limit: 5 bananas/minute}]\n")
        running.process.send_signal(signal.SIGHUP)
        await running.said("the new version is refused (SIGHUP)", f"{file}:1:25")

        replace(file, policy("requests", "6 requests/minute"))
        running.process.send_signal(signal.SIGHUP)
        after = digest(read_texts(file.parent))
        await running.said(f"policies: {after} is in force in the place of {before}")
        assert running.process.returncode is None
