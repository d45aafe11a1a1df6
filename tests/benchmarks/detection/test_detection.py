"""The whole harness, small: against a limiter that sees nothing and an engine that sees much."""

import json
from pathlib import Path

import pytest

from gateway.replay.record import Record
from gateway.simulation.writing import line
from tests.benchmarks.detection import trial
from tests.benchmarks.detection.__main__ import main
from tests.benchmarks.detection.engines import Engine, engines, prompt
from tests.benchmarks.detection.report import tables
from tests.benchmarks.detection.trial import Setting, Trial, run_trial
from tests.benchmarks.detection.verdicts import RUNGS, Verdict
from tests.simulation import making

LIMITER = (
    "quotas: [{id: q, why: w, limit: 60 requests/minute}, {id: d, why: w, limit: 500 requests/day}]"
)
FRAMES = """
behaviours:
  - id: shared-frame
    why: Many accounts send prompts cut from one frame.
    group: prompt.frame
    measure: {accounts: distinct(account.id) over 48h}
    when: accounts >= 10
    points: 45
responses:
  - {at: 40, do: throttle, scale: 0.25, fleet: 20 requests/day}
"""
FLEET = "fleet:accounts=20,begin=1"


class FrameCounter:
    """Sees a fleet when so many accounts began alike; blocks them from then on."""

    def __init__(self, accounts: int) -> None:
        self._accounts = accounts
        self._seen: dict[str, set[str]] = {}

    async def judge(self, record: Record) -> Verdict:
        found = self._seen.setdefault(prompt(record)[:40], set())
        found.add(record.account)
        flagged = len(found) >= self._accounts
        return Verdict(RUNGS.index("block") if flagged else 0, allowed=not flagged)

    async def finish(self) -> None:
        """Nothing is under way."""


@pytest.fixture
def limiter(tmp_path: Path) -> Path:
    policies = tmp_path / "policies"
    policies.mkdir()
    (policies / "limits.yaml").write_text(LIMITER)
    return policies


def setting(policies: Path, **different: object) -> Setting:
    given: dict[str, object] = {"scale": 0.01, "days": 3, "peers": False, **different}
    return Setting(policies={"mine": policies}, **given)  # type: ignore[arg-type]  # as named


def test_a_limiter_for_each_account_never_sees_a_fleet(limiter: Path) -> None:
    (outcome,) = run_trial(setting(limiter), Trial(FLEET, 1))
    assert outcome.campaign is not None
    assert outcome.campaign["detected"] is None
    assert outcome.campaign["contained"] is None
    assert outcome.campaign["leaked"] == outcome.campaign["exchanges"] > 500
    table = "\n".join(str(one) for one in tables([outcome], {FLEET: 50}))
    assert "never" in table
    assert "50 MISSED" in table
    assert "x 1.0" in table


def test_an_engine_that_counts_frames_is_measured_as_such(
    limiter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def counted(*_: object, **__: object) -> dict[str, Engine]:
        return {"counter": FrameCounter(10)}

    monkeypatch.setattr(trial, "engines", counted)
    (outcome,) = run_trial(setting(limiter), Trial(FLEET, 1))
    assert outcome.campaign is not None
    assert 10 <= outcome.campaign["detected"] <= 30
    assert outcome.campaign["leaked"] < 30
    assert outcome.recall is not None
    assert outcome.recall > 0.8
    assert "FLEET" not in json.dumps(outcome.campaign)


def test_behaviours_are_measured_through_the_code_that_serves(tmp_path: Path) -> None:
    policies = tmp_path / "behaviours"
    policies.mkdir()
    (policies / "frames.yaml").write_text(FRAMES)
    (outcome,) = run_trial(setting(policies), Trial(FLEET, 1))
    assert outcome.campaign is not None
    assert outcome.campaign["detected"] in range(10, 40)
    assert outcome.campaign["leaked"] < 0.1 * outcome.campaign["exchanges"]
    assert outcome.collateral == 0


def test_a_closed_loop_is_run_for_each_engine_alone(
    limiter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def two(*_: object, **__: object) -> dict[str, Engine]:
        return {
            "counter": FrameCounter(3),
            "limits": engines({"m": limiter}, peers=False, alone=False)["m"],
        }

    monkeypatch.setattr(trial, "engines", two)
    counter, limits = run_trial(
        setting(limiter, scale=0), Trial("replacement:accounts=5,begin=1", 1)
    )
    assert len(counter.waves) > 1
    assert limits.waves == []
    assert limits.campaign is not None
    assert limits.campaign["accounts"] == 5


def test_honest_accounts_alone_are_measured_too(limiter: Path) -> None:
    (outcome,) = run_trial(setting(limiter, days=10, scale=0.02), Trial("", 1))
    assert outcome.campaign is None
    assert outcome.populations["tenants"]["account_days"] > 10
    assert outcome.populations["tenants"]["hits"]["throttle"] == 0


def test_the_command_prints_writes_and_plots(
    limiter: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    html, told = tmp_path / "out.html", tmp_path / "out.json"
    main(
        [
            *("--policies", str(limiter), "--sweep", "card:begin=1,accounts=5,cover=0,0.5"),
            *("--seeds", "1", "--scale", "0.01", "--days", "2", "--no-peers", "--jobs", "1"),
            *("--html", str(html), "--json", str(told)),
        ]
    )
    printed = capsys.readouterr().out
    assert f"Campaigns under {limiter}" in printed
    assert "Headlines" in printed
    page = html.read_text()
    assert page.count("<svg") == 3
    assert "Requests until contained: card:begin=1,accounts=5,cover=0,0.5" in page
    campaigns = [one["trial"]["campaign"] for one in json.loads(told.read_text())]
    assert campaigns == ["", "card:begin=1,accounts=5,cover=0", "card:begin=1,accounts=5,cover=0.5"]


def test_recorded_decisions_are_joined_with_their_traffic(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = making.records("chat:50", campaigns=("card:begin=0",))
    traffic, decisions = tmp_path / "t.jsonl", tmp_path / "d.jsonl"
    traffic.write_bytes(b"".join(map(line, records)))
    decisions.write_text(
        "".join(
            json.dumps({"decision": "allow", "response": "throttle" if n > 100 else "none"}) + "\n"
            for n in range(len(records))
        )
    )
    main(["--traffic", str(traffic), "--decisions", str(decisions)])
    assert "| card " in capsys.readouterr().out


def test_what_was_asked_is_found_in_every_dialect() -> None:
    for record in making.records("all:0.02")[:300]:
        assert prompt(record).strip()
