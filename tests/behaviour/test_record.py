"""What sightings add up to."""

from dataclasses import replace

from gateway.behaviour.shelf import Caps
from gateway.policy.behaviour import DAY_US, Behaviours, Function, Measure
from tests.behaviour.parts import CARD, FRAME, HEAVY, LADDER, WEEK, World

PM = {"payment": "pm"}


def world(*rules: object, caps: Caps | None = None) -> World:
    return World(Behaviours(tuple(rules), ladder=LADDER), caps or Caps())  # type: ignore[arg-type]


def test_an_account_that_asks_new_single_questions_becomes_one_shot() -> None:
    here = world(CARD)
    for number in range(4):
        seen = here.seen("a", number, number=number, theme=1)
        here.verdicts.take(seen)
    history = here.recorder.history(here.seen("a", 5, number=9))
    assert history.one_shot
    assert history.novel
    assert history.requests == 4


def test_who_repeats_his_beginnings_never_becomes_one_shot() -> None:
    here = world(CARD)
    for number in range(30):
        here.verdicts.take(here.seen("a", number / 10, number=0, theme=1))
    history = here.recorder.history(here.seen("a", 5, number=0))
    assert not history.one_shot
    assert not history.novel


def test_after_a_week_an_account_begins_anew_and_leaves_its_cohorts() -> None:
    here = world(CARD)
    for number in range(5):
        for account in "ab":
            here.verdicts.take(here.seen(account, number, number=number, theme=1, traits=PM))
    (group,) = here.shelf.groups.values()
    assert group.cohort is not None
    assert group.cohort.pools == 2
    group.last_us += 7 * DAY_US  # others are still at work
    here.verdicts.take(here.seen("a", 8 * 24, number=77, theme=1, traits=PM))
    assert group.cohort.pools == 1
    assert here.recorder.history(here.seen("a", 8 * 24, number=78)).requests == 1


def test_an_account_of_unknown_age_is_as_old_as_its_first_sighting() -> None:
    here = world(CARD)
    here.verdicts.take(here.seen("a", 0, opened_days=None))
    history = here.recorder.history(here.seen("a", 20 * 24, opened_days=None))
    assert history.age_days == 20
    assert not history.fresh


def test_who_is_first_seen_by_a_gateway_that_watched_for_days_is_fresh_whatever_its_age() -> None:
    here = world(CARD)
    here.verdicts.take(here.seen("old", 0, opened_days=400))
    assert not here.recorder.history(here.seen("old", 1, opened_days=400)).fresh
    assert here.recorder.history(here.seen("bought", 6 * 24, opened_days=400)).fresh


def test_a_group_of_one_account_costs_next_to_nothing_and_is_never_judged() -> None:
    here = world(FRAME)
    for number in range(50):
        here.verdicts.take(here.seen("a", number, number=number, traits={"frame": "f"}))
    assert not here.shelf.groups
    assert len(here.shelf.lone) == 1


def test_a_flood_of_made_up_frames_pushes_out_only_what_nobody_uses() -> None:
    here = world(FRAME, caps=Caps(accounts=100, groups=10, lone=50))
    for number in range(500):
        for account in ("a", "b"):
            seen = here.seen(account, number / 100, number=number, traits={"frame": f"f{number}"})
            here.verdicts.take(seen)
    assert len(here.shelf.groups) <= 10
    assert len(here.shelf.lone) <= 50
    assert here.shelf.dropped > 400


def test_a_rule_about_an_account_counts_its_own_requests_alone() -> None:
    here = world(HEAVY)
    for number in range(60):
        here.verdicts.take(here.seen("heavy", number / 60, number=number))
        here.verdicts.take(here.seen(f"light-{number}", number / 60, number=number))
    assert list(here.board.cases) == [here.seen("heavy", 0).account]


def test_what_only_the_answer_tells_is_added_when_it_is_known() -> None:
    measured = Measure("written", Function.SUM, WEEK, "usage.output_tokens", after_answer=True)
    rule = replace(HEAVY, measures=(measured,), when="written >= 300")
    here = world(rule)
    for number in range(4):
        seen = here.seen("a", number, number=number)
        here.verdicts.take(replace(seen, named=[0]))
        here.verdicts.take(replace(seen, named=[100], answered=True))
    assert list(here.board.cases) == [here.seen("a", 0).account]
    assert here.recorder.history(here.seen("a", 5)).requests == 4
