"""The demo as a new user sees it, and nothing of it left behind."""

import re
import signal
import subprocess
import sys
from pathlib import Path

from gateway.demo.run import POLICIES
from gateway.policy.parse import inspect
from gateway.policy_directory import read_texts

SEEN = (
    "404 rejected",
    "429 wait",
    "Retry-After",
    "200 allowed",
    "closes the connection",
    "200 left",
)
"""Each within the first seconds, in no order that a loaded machine could break."""


def test_the_demo_shows_every_kind_of_decision_and_ends_well() -> None:
    started = subprocess.Popen(
        [sys.executable, "-m", "gateway", "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    missing = list(SEEN)
    with started as demo:
        assert demo.stdout is not None
        assert demo.stderr is not None
        lines: list[str] = []
        while missing and (line := demo.stdout.readline()):
            lines.append(line)
            missing = [words for words in missing if words not in line]
        demo.send_signal(signal.SIGINT)
        rest, errors = demo.communicate()
    assert not missing, "".join(lines) + errors
    assert demo.returncode == 0
    assert errors == ""
    assert re.search(r"end: [0-9,]+ tokens charged, [0-9,]+ in the model API's own books", rest)


def test_the_demos_policies_are_sound_and_each_says_why() -> None:
    inspection = inspect(read_texts(POLICIES))
    assert inspection.policies is not None
    assert inspection.warnings == ()
