"""Reload of a whole gauger, with requests on their way.

The checklist's rows "hot reload" (field.md, 5) and bar 12: counters are kept, a swap is atomic, a
bad file is refused, the version is in every decision.
"""

import asyncio
import re
from pathlib import Path

import httpx
import pytest

from gateway.policy.parse import digest
from gateway.policy_directory import read_texts
from tests.parts.gauger_inside import SECRET
from tests.reload.files import ConfigMap, listening, policy, replace
from tests.reload.traffic import KEY, scene

LIMITED = re.compile(r'"([a-z]+)[^"]*";q=(\d+)')


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "policies" / "quotas.yaml"
    file.parent.mkdir()
    file.write_text(policy("requests", "10 requests/minute"))
    return file


def limits_told(answer: httpx.Response) -> dict[str, int]:
    """The limits that a caller was told of, by the quota's id."""
    return {name: int(q) for name, q in LIMITED.findall(answer.headers["ratelimit-policy"])}


async def test_no_request_is_dropped_or_answered_by_a_mixture_while_versions_change(
    tmp_path: Path,
) -> None:
    """In 20 reloads 200 requests: half race with one, and all are answered after another."""

    def version(number: int) -> dict[str, str]:
        return {
            "a.yaml": policy("requests", f"{1_000 + number} requests/minute"),
            "b.yaml": policy("tokens", f"{1_000_000 + number} tokens/minute"),
        }

    mounted = ConfigMap(tmp_path, version(0))
    digests = {digest(read_texts(tmp_path)): 0}
    asked: list[asyncio.Task[httpx.Response]] = []
    admitted_by: list[range] = []
    """Which versions each may have met."""
    async with scene(tmp_path) as playing:

        def ask(count: int, versions: range) -> None:
            for _ in range(count):
                asked.append(asyncio.create_task(playing.ask()))
                admitted_by.append(versions)

        earlier = asyncio.Event()
        for number in range(1, 21):
            held = playing.model.hold()
            mounted.swap(version(number))
            digests[digest(read_texts(tmp_path))] = number
            ask(5, range(number - 1, number + 1))
            reloaded = (await playing.reload()).json()["policies"]
            assert digests[reloaded["in_force"]] == number, reloaded
            ask(5, range(number, number + 1))
            await playing.model.until_arrived(len(asked))
            earlier.set()
            earlier = held
        earlier.set()
        answers = await asyncio.gather(*asked)
        finished = await playing.inside.finished(KEY, 200)

    assert [answer.status_code for answer in answers] == [200] * 200
    by_id = {exchange.request_id: exchange for exchange in finished}
    for answer, versions in zip(answers, admitted_by, strict=True):
        told = limits_told(answer)
        number = told["requests"] - 1_000
        assert number in versions
        assert told == {"requests": 1_000 + number, "tokens": 1_000_000 + number}
        decision = by_id[answer.headers["x-request-id"]].decision
        assert decision is not None
        assert digests[decision.digest] == number


async def test_a_limit_lowered_in_mid_window_keeps_what_was_used(file: Path) -> None:
    async with scene(file.parent) as playing:
        assert await playing.statuses(6) == [200] * 6
        replace(file, policy("requests", "5 requests/minute"))
        await playing.reload()
        refused = await playing.ask()
        assert refused.status_code == 429
        assert limits_told(refused) == {"requests": 5}
        replace(file, policy("requests", "8 requests/minute"))
        await playing.reload()
        assert await playing.statuses(3) == [200, 200, 429]


async def test_an_exchange_is_settled_by_the_policies_that_admitted_it(file: Path) -> None:
    replace(file, tokens := policy("tokens", "300 tokens/hour"))
    async with scene(file.parent) as playing:
        held = playing.model.hold()
        asking = asyncio.create_task(playing.ask(max_tokens=250))
        await playing.model.until_arrived(1)
        replace(file, policy("requests", "10 requests/minute"))
        await playing.reload()
        assert await playing.metric("gateway_reservations_open") == "1.0"
        held.set()
        assert (await asking).status_code == 200
        (first,) = await playing.inside.finished(KEY)
        replace(file, tokens)
        await playing.reload()
        assert first.decision is not None
        assert first.decision.digest == digest(read_texts(file.parent))
        # 5 tokens were used. Had the reservation stayed, the same again would not fit.
        assert await playing.statuses(1, max_tokens=250) == [200]


async def test_a_broken_version_is_refused_for_all_to_see_and_stops_nothing(file: Path) -> None:
    failures = 'gateway_config_reload_failures_total{what="policies"}'
    before = digest(read_texts(file.parent))
    async with scene(file.parent) as playing, listening() as said:
        assert await playing.metric(failures) == "0.0"
        replace(file, "quotas:\n  - id: a\n    limit: 5 bananas/minute\n    per: nobody\n")
        await said.until("policies: the new version is refused", f"{file}:3:12", f"{file}:4:10")
        assert await playing.metric(failures) != "0.0"
        assert await playing.metric(f'gateway_config_info{{hash="{before}"}}') == "1.0"
        assert (await playing.operators.get("/readyz")).status_code == 200
        assert (await playing.callers.get("/readyz")).status_code == 200
        page = (await playing.operators.get("/")).text
        assert "Refused: policies" in page
        assert f"{file}:4:10" in page
        assert await playing.statuses(1) == [200]
        answer = await playing.reload()
        assert answer.status_code == 422
        told = answer.json()["policies"]
        assert (told["outcome"], told["in_force"]) == ("refused", before)
        assert [problem.partition(": ")[0] for problem in told["problems"]] == [
            f"{file}:3:12",
            f"{file}:4:10",
        ]

        replace(file, policy("requests", "3 requests/minute"))
        await said.until("policies:", "in force in the place of")
        after = digest(read_texts(file.parent))
        assert await playing.metric(f'gateway_config_info{{hash="{after}"}}') == "1.0"
        assert await playing.metric(f'gateway_config_info{{hash="{before}"}}') is None
        assert "Refused" not in (await playing.operators.get("/")).text
        assert await playing.statuses(3) == [200, 200, 429]


async def test_a_key_that_was_removed_is_refused_and_one_that_was_added_is_known(
    file: Path, tmp_path: Path
) -> None:
    def account(key: str) -> str:
        key_hash = SECRET.credential_hash(key)
        return f"accounts:\n  - id: acme\n    keys:\n      - hash: {key_hash}\n"

    accounts = tmp_path / "accounts.yaml"
    accounts.write_text(account("sk-old"))
    async with scene(file.parent, accounts=accounts) as playing, listening() as said:
        assert await playing.statuses(9, key="sk-old") == [200] * 9
        assert await playing.statuses(1, key="sk-new") == [401]

        replace(accounts, account("sk-new"))
        await said.until("accounts:", "in force in the place of")
        assert await playing.statuses(1, key="sk-old") == [401]
        # The same account by another key: what it used is still counted.
        assert await playing.statuses(2, key="sk-new") == [200, 429]

        replace(accounts, "accounts:\n  - id: acme\n    keys: [{hash: sk-a-key-by-mistake}]\n")
        line = await said.until("accounts: the new version is refused", f"{accounts}:3:")
        assert "sk-a-key" not in line
        assert "sk-a-key" not in (await playing.operators.get("/")).text
        assert await playing.statuses(1, key="sk-new") == [429]
