import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.replay.traffic_files import SAMPLE, record, write

STRICT = """\
quotas:
  - id: requests
    why: Keep one account from crowding out the others.
    limit: 2 requests/day
"""
LOOSE = STRICT.replace("2 requests", "4 requests")

Policies = Callable[[str, str], Path]


@pytest.fixture
def policies(tmp_path: Path) -> Policies:
    def make(name: str, text: str) -> Path:
        directory = tmp_path / name
        directory.mkdir()
        (directory / "quotas.yaml").write_text(text)
        return directory

    return make


@pytest.fixture
def traffic(tmp_path: Path) -> Path:
    records = [
        record(at, name, label="benign/chat" if name == "a" else "campaign/x")
        for at, name in enumerate("aaaaaabbbc")
    ]
    return write(tmp_path / "traffic.jsonl.gz", records)


def test_the_report_is_a_few_readable_tables(run: Run, policies: Policies, traffic: Path) -> None:
    ran = run("backtest", "--policies", policies("new", STRICT), traffic)
    assert ran.code == 0
    assert "refused 5 (50.0%) of 10 exchanges, 2 (66.7%) of 3 accounts" in ran.out
    row = next(line for line in ran.out.splitlines() if line.strip().startswith("requests "))
    assert row.split() == ["requests", "enforce", "5", "2", "240"]
    assert "3 partitions of counters kept" in ran.out
    assert "MiB of memory" in ran.out
    assert "\x1b" not in ran.out


def test_tools_get_everything_as_one_json_object(
    run: Run, policies: Policies, traffic: Path
) -> None:
    ran = run("backtest", "--json", "--policies", policies("new", STRICT), traffic)
    told = json.loads(ran.out)
    assert told["run"]["exchanges"] == 10
    assert told["run"]["partitions_kept"] == 3
    assert told["tried"]["refused"] == 5
    assert told["tried"]["by_policy"][0]["id"] == "requests"
    assert told["tried"]["top_accounts"][0]["reasons"] == {"requests": 4}
    assert told["tried"]["labels"][0]["account_days_refused"] == 1
    assert sum(span["refused"] for span in told["tried"]["series"]["spans"]) == 5
    assert told["against"] is told["difference"] is None


def test_two_directories_are_compared_account_by_account(
    run: Run, policies: Policies, traffic: Path
) -> None:
    new, old = policies("new", STRICT), policies("old", LOOSE)
    ran = run("backtest", "--json", "--policies", new, "--against", old, traffic)
    told = json.loads(ran.out)
    assert (told["tried"]["refused"], told["against"]["refused"]) == (5, 2)
    changed = {row["account"]: row for row in told["difference"]["accounts"]}
    assert (changed["a"]["refused"], changed["a"]["refused_against"]) == (4, 2)
    assert (changed["b"]["refused"], changed["b"]["refused_against"]) == (1, 0)
    assert "c" not in changed
    shown = run("backtest", "--policies", new, "--against", old, traffic)
    assert "2 accounts of 3 fare otherwise" in shown.out


def test_a_decision_is_written_for_every_exchange(
    run: Run, policies: Policies, traffic: Path, tmp_path: Path
) -> None:
    out = tmp_path / "decisions.jsonl"
    ran = run("backtest", "--policies", policies("new", STRICT), "--decisions", out, traffic)
    assert ran.code == 0
    told = [json.loads(line) for line in out.read_text().splitlines()]
    assert [one["decision"] for one in told] == ["allow"] * 2 + ["refuse"] * 4 + ["allow"] * 2 + [
        "refuse",
        "allow",
    ]


class Page(HTMLParser):
    """Tags and what they point to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.pointers: list[str] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.pointers += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_page_has_plots_and_needs_no_network(
    run: Run, policies: Policies, traffic: Path, tmp_path: Path
) -> None:
    out = tmp_path / "report.html"
    new, old = policies("new", STRICT), policies("old", LOOSE)
    ran = run("backtest", "--policies", new, "--against", old, "--html", out, traffic)
    assert ran.code == 0
    page = Page(out.read_text())
    assert page.tags.count("svg") == 5
    assert not page.pointers
    assert "//" not in out.read_text().split("</style>")[1].replace("data:", "")
    assert {"Difference", "By policy", "Who was refused when", "By label"} <= set(page.text)


def test_what_the_traffic_says_never_becomes_markup(
    run: Run, policies: Policies, tmp_path: Path
) -> None:
    evil = "<script>alert(1)</script>"
    path = write(tmp_path / "t.jsonl", [record(at, evil, label=evil) for at in range(5)])
    out = tmp_path / "report.html"
    ran = run("backtest", "--policies", policies("new", STRICT), "--html", out, path)
    assert ran.code == 0
    assert "<script>alert" not in out.read_text()
    assert "&lt;script&gt;alert" in out.read_text()


def test_traffic_may_come_through_a_pipe(run: Run, policies: Policies, traffic: Path) -> None:
    new = policies("new", STRICT)
    whole = run("backtest", "--json", "--policies", new, traffic)
    command = [sys.executable, "-m", "gateway", "backtest", "--json", "--policies", str(new), "-"]
    piped = subprocess.run(  # noqa: S603 - this interpreter, with words from here
        command, input=traffic.read_bytes(), capture_output=True, check=True, timeout=50
    )
    assert json.loads(piped.stdout)["tried"] == json.loads(whole.out)["tried"]
    assert piped.stderr == b""


def test_traffic_without_any_record_is_reported_as_such(
    run: Run, policies: Policies, tmp_path: Path
) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    out = tmp_path / "report.html"
    new = policies("new", STRICT)
    ran = run("backtest", "--policies", new, "--html", out, tmp_path / "empty.jsonl")
    assert ran.code == 0
    assert "no traffic" in ran.out
    assert "no traffic" in out.read_text()


def test_a_broken_line_ends_the_run_with_its_place(
    run: Run, policies: Policies, tmp_path: Path
) -> None:
    path = tmp_path / "traffic.jsonl"
    path.write_text(json.dumps(record(0)) + "\n{oops\n" + json.dumps(record(1)) + "\n")
    new = policies("new", STRICT)
    ran = run("backtest", "--policies", new, path)
    assert ran.code == 1
    assert ran.err.startswith(f"{path}:2:")
    skipped = run("backtest", "--policies", new, "--on-broken", "skip", path)
    assert skipped.code == 0
    assert f"{path}:2:" in skipped.out
    assert "1 broken line skipped" in skipped.out


def test_broken_policies_are_told_as_check_tells_them(
    run: Run, policies: Policies, traffic: Path
) -> None:
    ran = run("backtest", "--policies", policies("new", "quotas: [{id: x}]"), traffic)
    assert ran.code == 1
    assert "quotas.yaml:1:" in ran.err


@pytest.mark.parametrize(
    ("further", "told"),
    [
        (["nothing.jsonl"], "No such file"),
        (["--store", "postgres://x", "TRAFFIC"], "is not known. Allowed: memory://"),
        (["--store", "redis://127.0.0.1:1", "TRAFFIC"], "store: "),
        (["--html", "/nowhere/at/all.html", "TRAFFIC"], "No such file"),
        (["--decisions", "/nowhere/at/all", "TRAFFIC"], "No such file"),
        (["--decisions", "TRAFFIC", "TRAFFIC"], "is a traffic file"),
    ],
)
def test_what_cannot_be_used_is_the_command_lines_fault(
    run: Run, policies: Policies, traffic: Path, further: list[str], told: str
) -> None:
    before = traffic.read_bytes()
    given = [str(traffic) if word == "TRAFFIC" else word for word in further]
    ran = run("backtest", "--policies", policies("new", STRICT), *given)
    assert ran.code == 2
    assert told in ran.err
    assert traffic.read_bytes() == before


def test_the_labelled_sample_passes_through_the_shipped_policies(run: Run, tmp_path: Path) -> None:
    """The real thing, as a new user would try it."""
    if not SAMPLE.exists():
        pytest.skip(f"NOT TESTED: the labelled sample is not beside the repository ({SAMPLE.name})")
    out = tmp_path / "decisions.jsonl"
    shipped = Path(__file__).parents[2] / "policies"
    ran = run("backtest", "--json", "--policies", shipped, "--decisions", out, SAMPLE)
    assert ran.code == 0
    told = json.loads(ran.out)
    assert told["run"]["exchanges"] == 18_923
    assert {label["label"] for label in told["tried"]["labels"]} >= {
        "benign/chat",
        "campaign/harvest",
        "campaign/reasoning-fleet",
    }
    with gzip.open(SAMPLE) as sample, out.open("rb") as decisions:
        for line, decision in zip(sample, decisions, strict=True):
            recorded, decided = json.loads(line), json.loads(decision)
            assert (recorded["at"], recorded["account"], recorded["label"]) == (
                decided["at"],
                decided["account"],
                decided["label"],
            )
