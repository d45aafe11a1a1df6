"""`gauger serve --record`, and `gauger backtest` of what it wrote: as an operator does it."""

import asyncio
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.cli.commands import app
from gateway.errors import SettingsError
from tests.reload.files import policy, replace
from tests.reload.traffic import ADMIN, KEY, Scene, scene

SECRET_WORDS = "a question of nobody's business"
FEW = "5 requests/minute"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "policies" / "quotas.yaml"
    file.parent.mkdir()
    file.write_text(policy("requests", FEW))
    return file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "traffic.jsonl"


async def ask(playing: Scene) -> int:
    answer = await playing.callers.post(
        f"{playing.inside.url}/v1/chat/completions",
        headers={"Authorization": f"Bearer {KEY}"},
        json={
            "model": "small",
            "user": "anna@example.com",
            "messages": [{"role": "user", "content": SECRET_WORDS}],
        },
    )
    return answer.status_code


async def lived(playing: Scene, file: Path) -> None:
    """Refusals, a grant, a reload, a reset, and something that no policy ever sees."""
    assert [await ask(playing) for _ in range(6)] == [200] * 5 + [429]
    (first,) = {
        one.principal.account.id for one in await playing.inside.finished(KEY, 6) if one.principal
    }
    await _deed(playing, first, "grant", quota="requests", units=2, for_s=600)
    assert [await ask(playing) for _ in range(3)] == [200] * 2 + [429]
    replace(file, policy("requests", "9 requests/minute"))
    await playing.reload()
    assert [await ask(playing) for _ in range(5)] == [200] * 4 + [429]
    await _deed(playing, first, "reset")
    assert await ask(playing) == 200
    broken = await playing.callers.post(
        f"{playing.inside.url}/v1/chat/completions",
        headers={"Authorization": f"Bearer {KEY}"},
        content=b"no json",
    )
    assert broken.status_code == 400
    together = await asyncio.gather(*(ask(playing) for _ in range(12)))
    assert sorted(together) == [200] * 10 + [429] * 2


async def _deed(playing: Scene, account: str, what: str, **how: Any) -> None:
    body = {"why": "a test", **how}
    answer = await playing.operators.post(f"/accounts/{account}/{what}", json=body, headers=ADMIN)
    assert answer.status_code == 200, answer.text


def text_of(path: Path) -> str:
    return path.read_text()


def replaced(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def without_the_third_decision(text: str) -> str:
    lines = text.splitlines(keepends=True)
    del lines[[at for at, line in enumerate(lines) if '"decision"' in line][2]]
    return "".join(lines)


async def backtest(*args: object) -> tuple[int, str]:
    """In a thread, for it has a loop of its own."""
    return await asyncio.to_thread(_backtest, *args)


def _backtest(*args: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["backtest", *map(str, args)], env={"GAUGER_POLICIES": None})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout + result.stderr


async def test_what_a_gauger_recorded_is_decided_again_as_it_was(file: Path, path: Path) -> None:
    async with scene(file.parent, record=path) as playing:
        await lived(playing, file)
        assert await playing.metric("gateway_record_lost_lines_total") is None
    code, said = await backtest("--verify", path)
    assert code == 0, said
    assert "27 recorded decisions compared: all are decided again as they were" in said
    told = json.loads((await backtest("--verify", "--json", path))[1])
    assert told["verification"]["compared"] == 27
    assert told["verification"]["dropped"] == told["verification"]["outages"] == 0
    assert told["tried"]["rejected"] == {"malformed": 1}
    assert told["tried"]["tokens"] == 5 * 22
    assert told["run"]["exchanges"] == 28


async def test_no_prompt_no_key_and_no_name_stands_in_it_unless_that_is_asked_for(
    file: Path, path: Path
) -> None:
    async with scene(file.parent, record=path) as playing:
        await ask(playing)
    text = text_of(path)
    assert KEY not in text
    assert SECRET_WORDS not in text
    assert "anna" not in text
    assert '"end_user"' in text
    whole = path.with_name("whole.jsonl")
    async with scene(file.parent, record=whole, record_prompts=True) as playing:
        await ask(playing)
    text = text_of(whole)
    assert KEY not in text
    assert SECRET_WORDS in text
    (record,) = [json.loads(line) for line in text.splitlines() if '"account"' in line]
    assert record["body"]["user"] == record["facts"]["ask"]["end_user"] == "anna@example.com"
    assert (await backtest("--verify", whole))[0] == 0


async def test_a_difference_is_told_with_what_was_recorded_and_what_came_of_it(
    file: Path, path: Path
) -> None:
    async with scene(file.parent, record=path) as playing:
        assert [await ask(playing) for _ in range(6)] == [200] * 5 + [429]
    less = replaced(path, without_the_third_decision(text_of(path)))
    code, said = await backtest("--verify", less)
    assert code == 1
    assert "3 of 5 recorded decisions differ" in said
    assert "requests/sliding/requests/60: used 4, then 3" in said
    assert "verdict: refuse (rate), then allow" in said


async def test_other_policies_are_tried_on_it_as_on_any_traffic(file: Path, path: Path) -> None:
    async with scene(file.parent, record=path) as playing:
        assert [await ask(playing) for _ in range(6)] == [200] * 5 + [429]
    strict = file.parent.with_name("strict.yaml")
    strict.write_text(policy("requests", "2 requests/minute"))
    code, said = await backtest("--json", "--policies", strict, "--against", file.parent, path)
    assert code == 0
    told = json.loads(said)
    assert (told["tried"]["refused"], told["against"]["refused"]) == (4, 1)
    assert told["tried"]["refused_tokens"] == 3 * 5
    assert told["verification"]["by_others"] == 6
    assert "recorded under other policies" in (await backtest("--policies", strict, path))[1]
    assert (
        "6 recorded decisions compared: all" in (await backtest("--policies", file.parent, path))[1]
    )


async def test_files_are_put_aside_compressed_and_read_together_again(
    file: Path, path: Path
) -> None:
    """Also those of the run before: its counters ended with it, since they lay in memory."""
    for _ in range(2):
        recorded = {"record": path, "record_size_bytes": 1, "record_gzip": True}
        async with scene(file.parent, **recorded) as playing:
            written = 0.0
            for _ in range(3):
                await ask(playing)
                # Nobody says when a thread has written.
                while written == (now := float(await playing.metric(LINES) or 0)):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                written = now
    aside = sorted(path.parent.glob("traffic-*.jsonl.gz"))
    assert len(aside) >= 5
    assert all(b'{"event":"begin"' in gzip.decompress(one.read_bytes()) for one in aside)
    code, said = await backtest("--verify", *aside, path)
    assert code == 0, said
    assert "6 recorded decisions compared: all" in said


LINES = "gateway_recorded_lines_total"


async def test_a_place_that_cannot_be_written_is_told_before_anything_listens(
    file: Path, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=r"record: .*nowhere"):
        async with scene(file.parent, record=tmp_path / "nowhere" / "t.jsonl"):
            pass


async def test_traffic_without_decisions_cannot_be_verified(tmp_path: Path) -> None:
    line = '{"at": 1, "account": "a", "path": "/v1/chat/completions", "body": {}}\n'
    path = replaced(tmp_path / "other.jsonl", line)
    code, said = await backtest("--verify", path)
    assert code == 1
    assert "Nothing to verify" in said


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--verify", "--policies", "FILE"], "leave out all others"),
        (["--verify", "--against", "FILE"], "leave out all others"),
        ([], "--policies: missing"),
    ],
)
async def test_a_verification_takes_no_policies_and_a_backtest_needs_some(
    file: Path, path: Path, given: list[str], told: str
) -> None:
    replaced(path, "")
    words = [str(file) if word == "FILE" else word for word in given]
    code, said = await backtest(*words, path)
    assert code == 2
    assert told in said
