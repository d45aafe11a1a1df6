"""What gauger is made of: `audit` looks for known holes in it, `sbom FILE` writes it down.

    python .ci/supply.py audit
    python .ci/supply.py sbom dist/sbom.cdx.json

Both make an environment of their own, so that what they need is none of gauger's.
"""

# ruff: noqa: INP001, S603, T201  a script, which runs pip and speaks to whoever started it

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PINS = ROOT / ".ci" / "constraints.txt"
AUDITOR, SBOM_WRITER = "pip-audit==2.10.1", "cyclonedx-bom==7.5.0"

KNOWN_BAD = "jinja2==2.10"
"""CVE-2019-10906. Where this one passes, nothing was looked up: a mirror that tells of no
vulnerabilities makes pip-audit say "No known vulnerabilities found" about everything."""


def audit() -> int:
    """0 also where nobody can be asked, which is said."""
    with tempfile.TemporaryDirectory() as home:
        bin_ = _with(Path(home), AUDITOR)
        control = Path(home) / "control.txt"
        control.write_text(KNOWN_BAD + "\n")
        reached = _audited(bin_, control)
        if not any(one.get("vulns") for one in reached or []):
            print(
                "NOT AUDITED: no service that knows of vulnerabilities can be reached from here "
                f"({KNOWN_BAD} passed for sound). Skipped; run this where one can be."
            )
            return 0
        found = _audited(bin_, PINS)
    if found is None:
        print("pip-audit failed on .ci/constraints.txt, though it answers about another package.")
        return 1
    bad = [one for one in found if one.get("vulns")]
    unknown = [one["name"] for one in found if "skip_reason" in one]
    for one in bad:
        told = ", ".join(hole["id"] for hole in one["vulns"])
        print(f"{one['name']} {one['version']}: {told}")
    print(
        f"{len(found)} packages, {len(bad)} with known holes, not known there: {unknown or 'none'}"
    )
    return 1 if bad else 0


def sbom(target: Path) -> int:
    """What `pip install .` brings under our pins, with the hashes of what was downloaded."""
    with tempfile.TemporaryDirectory() as home:
        bin_ = _with(Path(home), SBOM_WRITER)
        report = Path(home) / "report.json"
        _run(
            *(str(bin_ / "python"), "-m", "pip", "install", "--quiet", "--dry-run"),
            *("--disable-pip-version-check", "--ignore-installed", "--report", str(report)),
            *(str(ROOT), "-c", str(PINS)),
        )
        needed = Path(home) / "requirements.txt"
        needed.write_text("".join(_requirements(json.loads(report.read_text()))))
        target.parent.mkdir(parents=True, exist_ok=True)
        _run(
            *(str(bin_ / "cyclonedx-py"), "requirements", str(needed)),
            *("--pyproject", str(ROOT / "pyproject.toml"), "--mc-type", "application"),
            *("--output-reproducible", "--of", "JSON", "-o", str(target)),
        )
    components = json.loads(target.read_text())["components"]
    print(f"{target}: {len(components)} components")
    return 0 if components else 1


def _requirements(report: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for one in sorted(report["install"], key=lambda one: str(one["metadata"]["name"]).lower()):
        name, version = one["metadata"]["name"], one["metadata"]["version"]
        if name == "gauger":
            continue
        hashes = one["download_info"].get("archive_info", {}).get("hashes", {})
        told = "".join(f" --hash={kind}:{value}" for kind, value in hashes.items())
        lines.append(f"{name}=={version}{told}\n")
    return lines


def _audited(bin_: Path, requirements: Path) -> list[dict[str, Any]] | None:
    """None if nobody answered."""
    ran = subprocess.run(
        [
            *(str(bin_ / "pip-audit"), "--disable-pip", "--no-deps", "--progress-spinner", "off"),
            *("--timeout", "10", "--format", "json", "--requirement", str(requirements)),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    try:
        dependencies: list[dict[str, Any]] = json.loads(ran.stdout)["dependencies"]
    except (ValueError, KeyError):
        return None
    return dependencies


def _with(home: Path, tool: str) -> Path:
    """The programs of a fresh environment with this tool."""
    venv.create(home / "venv", with_pip=True)
    bin_ = home / "venv" / "bin"
    _run(str(bin_ / "pip"), "install", "--quiet", "--disable-pip-version-check", tool)
    return bin_


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


def main(words: list[str]) -> int:
    match words:
        case ["audit"]:
            return audit()
        case ["sbom", target]:
            return sbom(Path(target))
        case _:
            print(__doc__)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
