"""What is found goes on the board, and no further than the guards allow."""

from collections.abc import Mapping

import pytest

from gateway.behaviour.score import Evidence
from gateway.policy.behaviour import DAY_US, Behaviours, Rung
from tests.behaviour.parts import CARD, FRAME, HEAVY, LADDER, NETWORK, START_US, World

F = {"frame": "f"}
PM = {"payment": "pm"}
AS = {"network": "as"}
EVERYTHING = {"frame": "f", "payment": "p", "network": "n"}


def world(*rules: object) -> World:
    return World(Behaviours(tuple(rules), ladder=LADDER))  # type: ignore[arg-type]


def send_fleet(here: World, accounts: int, each: int, traits: Mapping[str, str]) -> int | None:
    """Round robin. Which request was the first that was throttled."""
    sent = 0
    for number in range(each):
        for account in range(accounts):
            sent += 1
            seen = here.seen(
                f"f{account}", number + account / 100, number=number, theme=1, traits=traits
            )
            if here.pass_one(seen).response >= Rung.THROTTLE:
                return sent
    return None


def test_a_frame_is_held_from_the_request_after_the_one_that_completes_the_evidence() -> None:
    assert send_fleet(world(FRAME), 20, 3, F) == 6


def test_one_card_one_pool_is_held_once_enough_prompts_are_known() -> None:
    found = send_fleet(world(CARD), 10, 20, PM)
    assert found is not None
    assert found <= 45


def test_accounts_with_topics_of_their_own_on_one_card_are_left_alone() -> None:
    here = world(CARD)
    for number in range(20):
        for account in range(10):
            seen = here.seen(
                f"own{account}",
                number + account / 100,
                number=number,
                theme=account,
                traits=PM,
            )
            assert here.pass_one(seen).response is Rung.NONE


def test_a_newcomer_to_a_flagged_card_is_held_at_its_first_request() -> None:
    here = world(CARD)
    send_fleet(here, 10, 20, PM)
    newcomer = here.seen("newcomer", 21, traits=PM)
    assert here.standing(newcomer).response is Rung.THROTTLE
    assert here.standing(newcomer).fleets


def test_on_a_flagged_network_only_those_are_held_who_ask_alike() -> None:
    here = world(NETWORK)
    for number in range(12):
        neighbour = here.seen("neighbour", number, number=number, theme=9, traits=AS)
        here.pass_one(neighbour)
        for account in range(10):
            at = number + account / 100
            here.pass_one(here.seen(f"f{account}", at, number=number, theme=1, traits=AS))
    assert here.standing(here.seen("f3", 13, theme=1, traits=AS)).response is Rung.THROTTLE
    assert here.standing(here.seen("neighbour", 13, theme=9, traits=AS)).response is Rung.NONE
    assert here.standing(here.seen("stranger", 13, theme=4, traits=AS)).response is Rung.NONE


def test_who_showed_a_flagged_frame_twice_is_held_in_his_cover_traffic_too() -> None:
    here = world(FRAME)
    send_fleet(here, 20, 3, F)
    for hours in (4, 5, 6):
        here.pass_one(here.seen("f1", hours, number=int(hours), traits=F))
    assert here.standing(here.seen("f1", 7, number=50)).response is Rung.THROTTLE
    assert here.standing(here.seen("somebody", 7, number=50)).response is Rung.NONE


def test_an_account_with_a_past_keeps_its_own_traffic() -> None:
    here = world(FRAME)
    here.pass_one(here.seen("victim", 0, opened_days=300))
    send_fleet(here, 20, 3, F)
    for hours in (4, 5, 6):
        framed = here.seen("victim", hours, opened_days=300, traits=F)
        assert here.pass_one(framed).response is Rung.NONE


def test_shared_evidence_never_blocks_whatever_a_thousand_framers_do() -> None:
    here = world(FRAME, CARD, NETWORK)
    for number in range(8):
        for account in range(100):
            here.pass_one(
                here.seen(
                    f"f{account}",
                    number,
                    number=number,
                    theme=1,
                    traits=EVERYTHING,
                )
            )
    everybody = [here.standing(here.seen(f"f{a}", 9, traits=EVERYTHING)) for a in range(100)]
    assert {standing.response for standing in everybody} == {Rung.THROTTLE}


def test_what_is_not_renewed_fades() -> None:
    here = world(FRAME)
    send_fleet(here, 20, 3, F)
    assert here.standing(here.seen("late", 12, traits=F)).response is Rung.THROTTLE
    assert here.standing(here.seen("late", 12, traits=F)).response is Rung.THROTTLE


def blocked(here: World, account: str, at_hours: float) -> None:
    """Evidence of two independent rules about the account itself."""
    seen = here.seen(account, at_hours)
    for rule in ("one", "two"):
        evidence = Evidence(rule, "why", 50, seen.at_us, seen.at_us)
        here.verdicts._about_account(seen.account, evidence, seen.at_us)


def test_a_block_ends_and_the_next_one_is_longer() -> None:
    here = world(HEAVY)
    account = here.seen("a", 0).account
    blocked(here, "a", 0)
    case = here.board.cases[account]
    assert case.held is Rung.BLOCK
    assert case.until_us == START_US + DAY_US
    blocked(here, "a", 25)
    assert case.until_us == START_US + 25 * 3_600_000_000 + 7 * DAY_US


def test_beyond_the_guardrail_a_block_throttles_and_is_counted() -> None:
    here = world(HEAVY)
    for account in range(4):
        blocked(here, f"a{account}", 0)
    held = [case.held for case in here.board.cases.values()]
    assert held.count(Rung.BLOCK) == 1
    assert held.count(Rung.THROTTLE) == 3
    assert here.verdicts.held_back == 3


@pytest.mark.parametrize("days", [30])
def test_a_board_forgets_what_has_faded(days: int) -> None:
    here = world(FRAME)
    send_fleet(here, 20, 3, F)
    here.board.prune(START_US + days * DAY_US, here.behaviours.score)
    assert not here.board
