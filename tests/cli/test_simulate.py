import gzip
import json
from pathlib import Path

from tests.cli.conftest import Run


def lines(path: Path) -> list[dict[str, object]]:
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    return [json.loads(line) for line in text.splitlines()]


def test_traffic_is_written_and_told_by_label(run: Run, tmp_path: Path) -> None:
    output = tmp_path / "traffic.jsonl.gz"
    ran = run(
        *("simulate", "--population", "chat:40", "--campaign", "card:begin=0"),
        *("--days", 2, "--seed", 3, "-o", output),
    )
    assert ran.code == 0, ran
    made = lines(output)
    labels = {str(one["label"]) for one in made}
    assert labels == {"benign/chat", "campaign/card"}
    assert f"{len(made):,} exchanges in 2 days, seed 3" in ran.out
    assert all(label in ran.out for label in labels)
    assert str(output) in ran.err


def test_the_same_command_writes_the_same_bytes(run: Run, tmp_path: Path) -> None:
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        run("simulate", "--population", "all:0.01", "--days", 1, "-o", tmp_path / name)
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


def test_a_backtest_reads_what_was_simulated(run: Run, tmp_path: Path) -> None:
    output, policies = tmp_path / "traffic.jsonl", tmp_path / "policies"
    policies.mkdir()
    (policies / "p.yaml").write_text("quotas: [{id: q, why: w, limit: 5 requests/day}]")
    run("simulate", "--campaign", "fleet:accounts=5,begin=0", "--days", 1, "-o", output)
    ran = run("backtest", "--policies", policies, output)
    assert ran.code == 0, ran
    assert "campaign/fleet" in ran.out


def test_a_pipe_gets_the_traffic_and_nothing_else(run: Run) -> None:
    ran = run("simulate", "--population", "chat:30", "--days", 2, "-o", "-")
    assert ran.code == 0, ran
    assert all(json.loads(line)["label"] == "benign/chat" for line in ran.out.splitlines())
    assert "exchanges in 2 days" in ran.err


def test_a_file_and_flags_add_up(run: Run, tmp_path: Path) -> None:
    order, output = tmp_path / "o.yaml", tmp_path / "t.jsonl"
    order.write_text("days: 30\npopulations: {chat: 30}\nwithout: {network: 1}\n")
    ran = run(
        *("simulate", order, "--days", 2, "--population", "batch:3"),
        *("--without", "payment", "-o", output),
    )
    assert ran.code == 0, ran
    made = lines(output)
    assert {one["label"] for one in made} == {"benign/chat", "benign/batch"}
    for one in made:
        attributes = one["attributes"]
        assert isinstance(attributes, dict)
        assert not {"payment", "network"} & set(attributes)


def test_corpora_are_asked_from(run: Run, tmp_path: Path) -> None:
    corpora = tmp_path / "corpora"
    (corpora / "extraction").mkdir(parents=True)
    rows = "\n".join(json.dumps({"prompt": f"zebra {at} crossing the road"}) for at in range(80))
    (corpora / "extraction" / "zebras.jsonl").write_text(rows)
    (corpora / "trace.jsonl").write_text("{}")
    output = tmp_path / "t.jsonl"
    ran = run(
        *("simulate", "--campaign", "card:begin=0,accounts=2", "--days", 1),
        *("--corpora", corpora, "-o", output),
    )
    assert ran.code == 0, ran
    assert all("zebra" in json.dumps(one["body"]) for one in lines(output)[:10])
    assert "trace.jsonl has no prompt" in ran.err


def test_all_names_can_be_listed(run: Run) -> None:
    ran = run("simulate", "--list")
    assert ran.code == 0
    for name in ("chat", "laboratory", "fleet", "card-cover", "per_card"):
        assert f" {name} " in ran.out


def test_what_is_missing_or_wrong_is_told(run: Run, tmp_path: Path) -> None:
    assert "nothing to simulate" in run("simulate", "-o", "x").err
    assert "Name the file to write" in run("simulate", "--population", "chat:1").err
    wrong = run("simulate", "--population", "chad:1", "-o", tmp_path / "x")
    assert (wrong.code, 'Did you mean "chat"' in wrong.err) == (2, True)
    nowhere = run("simulate", "--population", "chat:1", "-o", tmp_path / "no" / "x")
    assert (nowhere.code, "No such file" in nowhere.err) == (2, True)
    missing = run("simulate", tmp_path / "o.yaml", "-o", tmp_path / "x")
    assert (missing.code, "No such file" in missing.err) == (2, True)
    order = tmp_path / "o.yaml"
    order.write_text("populations: {chad: 3}\n")
    located = run("simulate", order, "-o", tmp_path / "x")
    assert (located.code, "o.yaml:1:15:" in located.err) == (1, True)
