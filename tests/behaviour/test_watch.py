"""Policies as they are written, facts as they come: sightings in, standings out."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.behaviour.watch import Watch
from gateway.facts.catalog import Facts
from gateway.facts.exchange import Ask
from gateway.facts.principal import Account, Principal
from gateway.policy.behaviour import Rung
from gateway.policy.parse import load
from gateway.policy_directory import read_texts
from tests.parts.values import facts as some_facts

POLICIES = Path(__file__).parents[2] / "policies"
KEY = b"k" * 32
BEGIN_S = 1_780_000_000
FRAMED = (
    "Below stands a riddle together with its solution; tell me in your own words how somebody gets "
    "from the one to the other. {} Use short sentences, please, and stop when you are there."
)
NOBODY: Mapping[str, str] = {}


@pytest.fixture
def watch() -> Watch:
    return Watch(load(read_texts(POLICIES)).behaviours, KEY)


def asked(
    watch: Watch,
    account: str,
    second: int,
    text: str,
    *,
    attributes: Mapping[str, str] = NOBODY,
    opened_days: int | None = None,
) -> Facts:
    created_at_s = None if opened_days is None else BEGIN_S - opened_days * 86_400
    principal = Principal(Account(account, attributes=attributes, created_at_s=created_at_s))
    return replace(
        some_facts(),
        principal=principal,
        ask=Ask("m", turns=1),
        at_us=(BEGIN_S + second) * 1_000_000,
        prompt=watch.fingerprints.of({"messages": [{"role": "user", "content": text}]}),
    )


def send_frame(watch: Watch, accounts: int, **known: object) -> int:
    """How many requests of the fleet were held."""
    held = 0
    for number in range(accounts * 2):
        text = FRAMED.format(f"Riddle {chr(97 + number % 26)} of {number} sheep and their owner.")
        facts = asked(watch, f"f{number % accounts}", number, text, **known)  # type: ignore[arg-type]
        held += watch.standing(facts).response >= Rung.THROTTLE
        watch.see(facts)
    return held


def test_a_sidecar_that_knows_only_keys_still_holds_a_fleet_of_one_frame(watch: Watch) -> None:
    assert send_frame(watch, 30) >= 30 * 2 - 17


def test_old_customers_of_a_popular_template_are_left_alone(watch: Watch) -> None:
    assert send_frame(watch, 40, opened_days=300) == 0


def test_an_exempt_plan_is_never_held() -> None:
    text = (POLICIES / "fleets.yaml").read_text() + (
        "\nexemptions:\n  - {plan: research, until: 2027-03-01, owner: sre, why: contracted}\n"
    )
    texts = {**read_texts(POLICIES), (POLICIES / "fleets.yaml").as_posix(): text}
    exempting = Watch(load(texts).behaviours, KEY)
    send_frame(exempting, 30)
    one_more = asked(exempting, "lab", 100, FRAMED.format("A last one."))
    assert exempting.standing(one_more).response is Rung.THROTTLE
    account = replace(one_more.principal.account, plan="research")
    exempted = exempting.standing(replace(one_more, principal=Principal(account)))
    assert exempted.response is Rung.NONE
    assert exempted.exempt is not None


def test_other_policies_keep_what_is_known_of_groups_that_mean_the_same(watch: Watch) -> None:
    for number in range(14):
        watch.see(asked(watch, f"f{number}", number, FRAMED.format(f"Riddle {number} is it")))
    groups = len(watch.shelf.groups)
    text = (POLICIES / "fleets.yaml").read_text().replace("points: 60", "points: 65")
    watch.put_in_force(
        load({**read_texts(POLICIES), (POLICIES / "fleets.yaml").as_posix(): text}).behaviours
    )
    assert len(watch.shelf.groups) == groups
    for number in (14, 15):
        watch.see(asked(watch, f"f{number}", number, FRAMED.format(f"Riddle {number} is it")))
    newcomer = asked(watch, "f99", 99, FRAMED.format("Riddle ninety is it"))
    assert watch.standing(newcomer).response is Rung.THROTTLE


def test_a_flood_of_new_frames_of_one_account_holds_nobody(watch: Watch) -> None:
    for number in range(300):
        text = " ".join(
            f"w{chr(97 + (number * 7 + at) % 26)}{number * 31 + at}x" for at in range(30)
        )
        facts = asked(watch, "flooder", number, text.replace("0", "o"))
        assert watch.standing(facts).response < Rung.THROTTLE
        watch.see(facts)


@pytest.mark.parametrize("jump_s", [3_600, -3_600])
def test_a_clock_that_jumps_breaks_nothing(watch: Watch, jump_s: int) -> None:
    send_frame(watch, 10)
    late = asked(watch, "f1", 100 + jump_s, FRAMED.format("After the jump."))
    watch.standing(late)
    watch.see(late)
