"""Among how many a limit is divided, and who has no share."""

from gateway.decision.port import Present
from gateway.store.outage.presence import Presence


class Seconds:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def present(replicas: int, *, known: bool = True) -> Present:
    return Present(replicas, known=known, at_us=0)


def presence(told: int | None = None) -> tuple[Presence, Seconds]:
    clock = Seconds()
    return Presence(told=told, heartbeat_seconds=2, monotonic=clock), clock


def test_who_never_saw_the_store_has_no_share_unless_he_was_told_how_many_there_are() -> None:
    assert presence()[0].replicas is None
    assert "--replicas" in presence()[0].why_none
    assert presence(told=4)[0].replicas == 4


def test_the_first_has_all_at_once() -> None:
    one, _ = presence()
    assert one.heard(present(1, known=False))
    assert one.replicas == 1


def test_a_newcomer_waits_until_the_others_have_heard_of_it() -> None:
    one, clock = presence()
    one.heard(present(3, known=False))
    assert one.replicas is None
    assert "not have heard" in one.why_none
    clock.now += 4
    assert one.replicas == 3


def test_the_last_count_holds() -> None:
    one, _ = presence()
    for count in (1, 5, 4):
        one.heard(present(count))
    assert one.replicas == 4


def test_whoever_was_told_never_counts_on_fewer() -> None:
    one, _ = presence(told=4)
    one.heard(present(1))
    assert one.replicas == 4
    one.heard(present(6))
    assert one.replicas == 6


def test_a_store_that_forgot_us_has_lost_its_memory() -> None:
    one, _ = presence()
    assert one.heard(present(1, known=False))
    assert one.heard(present(1))
    assert not one.heard(present(1, known=False))
