"""Takes sightings one by one: what each adds to its account and groups, and which rules then hold.

A rule is asked again when its group has a new member, has grown by a tenth (its pool by a
twenty-fifth), or after ten minutes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.behaviour.distinct_values import DistinctValues
from gateway.behaviour.hashing import Hash64
from gateway.behaviour.layout import Evaluate, Holds, Kind, Layout
from gateway.behaviour.pool import Cohort, Likeness, Pool, Vector, vector_of
from gateway.behaviour.population import POPULATION, Population
from gateway.behaviour.readings import Readings, Subject, of_account
from gateway.behaviour.shelf import Shelf
from gateway.behaviour.sighting import Sighting
from gateway.behaviour.states import ENDS, JOINED, AccountState, GroupState, Tally
from gateway.behaviour.sums import Gaps, Sums
from gateway.facts.catalog import FactValue
from gateway.facts.history import History
from gateway.policy.behaviour import DAY_US, HOUR_US, Behaviour, Over

WINDOW_US = 7 * DAY_US
"""What `history.*` tells goes back so far."""

FRESH_DAYS = 14
FIRST_SEEN_FRESH_US = 3 * DAY_US
WATCHED_FOR_US = 5 * DAY_US
"""A gateway that has watched for less has seen everybody for the first time."""

NOVEL_WORDS = 5
ONE_SHOT_PROMPTS = 3
ONE_SHOT_SHARE = 0.4

ASKED_AGAIN_US = 600 * 1_000_000
GROWN_GROUP = 1.1
GROWN_POOL = 1.04
GROWN_ACCOUNT = 1.02


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that was asked about a group, or about an account."""

    rule: Behaviour
    key: int
    """Of the group; of the account if the rule judges accounts by themselves."""
    at_us: int
    holds: bool
    measured: tuple[tuple[str, float], ...] = ()
    """What was measured, if it holds."""
    group: GroupState | None = None


@dataclass(slots=True)
class Beginning:
    """Since when traffic is watched; it outlives a change of policies."""

    at_us: int | None = None
    """Of the first sighting."""

    def see(self, at_us: int) -> None:
        if self.at_us is None:
            self.at_us = at_us


class Recorder:
    """All that behaviour policies know. Not for two threads."""

    def __init__(
        self,
        layout: Layout,
        evaluate: Evaluate,
        holds: Mapping[str, Holds],
        shelf: Shelf,
        population: Population,
        *,
        hash64: Hash64,
        began: Beginning | None = None,
    ) -> None:
        """`holds` is by the ids of rules."""
        self.layout = layout
        self.shelf = shelf
        self.population = population
        self.fleets: Sequence[Likeness] = ()
        """What contained fleets asked: their successors are known by it."""
        self._evaluate = evaluate
        self._holds = holds
        self._hash64 = hash64
        self._began = began or Beginning()

    def history(self, seen: Sighting) -> History:
        """Of an account before this exchange, without changing anything."""
        account = self.shelf.accounts.get(seen.account)
        return self._history(account or AccountState(seen.at_us), seen)

    def record(self, seen: Sighting, *, suspected: bool = False) -> list[Finding]:
        """`suspected`: the account is held to something, so it does not teach what is usual."""
        self._began.see(seen.at_us)
        account = self.shelf.account(seen.account, seen.at_us)
        if seen.at_us - account.window_us > WINDOW_US:
            self._leave_all(account)
            account.begin_window(seen.at_us)
        history = self._history(account, seen)
        vector = self._count(account, seen, novel=history.novel, suspected=suspected)
        if account.one_shot != history.one_shot:
            history = replace(history, one_shot=account.one_shot)
        values = self._evaluate(seen.named, history)
        if (day := seen.at_us // DAY_US) > account.day:
            account.day = day
            self.population.see(day, values)
        one = _Exchange(account, seen, values, vector, [])
        for kind in self.layout.account_kinds:
            if _among(kind, values):
                self._of_account(kind, one)
        for at, keys in enumerate(seen.groups):
            for place in self.layout.kinds_of[at]:
                kind = self.layout.kinds[place]
                if _among(kind, values):
                    for key in keys:
                        self._in_group(kind, key, one)
        return one.findings

    def answered(self, seen: Sighting) -> None:
        """Adds what only the answer tells to an account and groups that have seen the question."""
        account = self.shelf.accounts.get(seen.account)
        if account is None:
            return
        values = self._evaluate(seen.named, self._history(account, seen))
        for kind in self.layout.account_kinds:
            if kind.sums_after and _among(kind, values):
                _add_sums(kind.sums_after, of_account(account, kind), seen.at_us, values)
        for at, keys in enumerate(seen.groups):
            for place in self.layout.kinds_of[at]:
                kind = self.layout.kinds[place]
                if kind.sums_after and _among(kind, values):
                    for key in keys:
                        group = self.shelf.groups.get(key ^ kind.salt)
                        if group is not None:
                            _add_sums(kind.sums_after, group, seen.at_us, values)

    def remember(self, seen: Sighting) -> None:
        """What concerns the account alone, where somebody else weighs the rest."""
        account = self.shelf.account(seen.account, seen.at_us)
        if seen.at_us - account.window_us > WINDOW_US:
            account.begin_window(seen.at_us)
        history = self._history(account, seen)
        self._count(account, seen, novel=history.novel, suspected=True)

    def _history(self, account: AccountState, seen: Sighting) -> History:
        at_us, asked = seen.at_us, seen.asked
        known_us = at_us - account.first_us
        opened_us = account.first_us if seen.opened_us is None else seen.opened_us
        age_us = max(known_us, at_us - opened_us)
        began_us = self._began.at_us
        watched_us = 0 if began_us is None else account.first_us - began_us
        fresh = age_us < FRESH_DAYS * DAY_US or (
            known_us < FIRST_SEEN_FRESH_US and watched_us >= WATCHED_FOR_US
        )
        return History(
            requests=account.requests,
            age_days=age_us // DAY_US,
            known_days=known_us // DAY_US,
            fresh=fresh,
            one_shot=account.one_shot,
            novel=(
                asked.single
                and asked.words >= NOVEL_WORDS
                and asked.beginning not in account.ends
                and asked.end not in account.ends
            ),
        )

    def _count(
        self, account: AccountState, seen: Sighting, *, novel: bool, suspected: bool
    ) -> Vector | None:
        """What is novel about it."""
        vector = None
        account.last_us = seen.at_us
        account.requests += 1
        if novel:
            account.candidates += 1
            if len(account.ends) < ENDS:
                account.ends.add(seen.asked.beginning)
                account.ends.add(seen.asked.end)
            if seen.asked.sketch.places:
                vector = vector_of(seen.asked.sketch)
                self._pool(account, vector)
        pool = account.pool
        one_shot = (
            pool is not None
            and pool.prompts >= ONE_SHOT_PROMPTS
            and account.candidates >= ONE_SHOT_SHARE * account.requests
        )
        if account.one_shot and not one_shot:
            self._leave_all(account)
        elif one_shot and not suspected:
            self._join(self.population.cohort, POPULATION, account)
        account.one_shot = one_shot
        return vector

    def _pool(self, account: AccountState, vector: Vector) -> None:
        pool = account.pool
        if pool is None:
            pool = account.pool = Pool()
        if pool.full:
            return
        gain = pool.gain(vector)
        for key in account.joined:
            cohort = self._cohort(key)
            if cohort is not None:
                cohort.add(vector, pool, gain)
        pool.add(vector, gain)

    def _cohort(self, key: int) -> Cohort | None:
        if key == POPULATION:
            return self.population.cohort
        group = self.shelf.groups.get(key)
        return group.cohort if group else None

    def _leave_all(self, account: AccountState) -> None:
        if account.pool is not None:
            for key in account.joined:
                cohort = self._cohort(key)
                if cohort is not None:
                    cohort.leave(account.pool)
        account.joined = []

    def _join(self, cohort: Cohort, key: int, account: AccountState) -> None:
        pool = account.pool
        if pool is not None and key not in account.joined and len(account.joined) < JOINED:
            cohort.join(pool)
            account.joined.append(key)

    def _of_account(self, kind: Kind, one: "_Exchange") -> None:
        account, at_us = one.account, one.seen.at_us
        tally = of_account(account, kind)
        self._add(kind, tally, one)
        if tally.total > account.asked_again.get(kind.salt, 0):
            account.asked_again[kind.salt] = int(tally.total * GROWN_ACCOUNT)
            subject = Subject(kind, tally, account.first_us, at_us)
            self._ask(subject, one.seen.account, one.findings)

    def _in_group(self, kind: Kind, key: int, one: "_Exchange") -> None:
        account, seen, values = one.account, one.seen, one.values
        state_key = key ^ kind.salt
        group = self.shelf.group(state_key, kind, seen.account, seen.at_us)
        if group is None:
            return
        flags = 0
        for bit, at in enumerate(kind.flags):
            if values[at] is True:
                flags |= 1 << bit
        columns = tuple([self._value64(values[at]) for at in kind.columns])
        new = group.members.see(seen.account, seen.at_us, flags, columns)
        group.last_us = seen.at_us
        self._add(kind, group, one)
        if group.questions is not None and one.vector is not None:
            group.questions.add(one.vector)
        if group.cohort is not None and account.one_shot:
            self._join(group.cohort, state_key, account)
        if new or self._has_grown(group, seen.at_us):
            self._asked(kind, group, seen.at_us)
            self._ask(Subject(kind, group, group.first_us, seen.at_us), key, one.findings)

    def _add(self, kind: Kind, tally: Tally, one: "_Exchange") -> None:
        at_us, values = one.seen.at_us, one.values
        tally.total += 1
        _add_sums(kind.sums, tally, at_us, values)
        for text, at, _ in kind.distinct:
            hashed = self._value64(values[at])
            if hashed:
                found = tally.distinct.get(text)
                if found is None:
                    found = tally.distinct[text] = DistinctValues()
                found.see(hashed, at_us)
        if kind.gaps:
            if tally.gaps is None:
                tally.gaps = Gaps()
            tally.gaps.see(at_us)

    def _has_grown(self, group: GroupState, at_us: int) -> bool:
        pooled = group.cohort.prompts if group.cohort else 0
        return (
            group.total > group.asked_total * GROWN_GROUP
            or pooled > group.asked_pooled * GROWN_POOL
            or at_us - group.asked_us > ASKED_AGAIN_US
        )

    def _asked(self, kind: Kind, group: GroupState, at_us: int) -> None:
        group.asked_us = at_us
        group.asked_total = group.total
        group.asked_pooled = group.cohort.prompts if group.cohort else 0
        if at_us - group.forgot_us > max(HOUR_US, kind.window_us // 8):
            group.forgot_us = at_us
            group.members.forget_before(at_us - kind.window_us)
            for text, _, window_us in kind.distinct:
                if text in group.distinct:
                    group.distinct[text].forget_before(at_us - window_us)

    def _ask(self, subject: Subject, key: int, findings: list[Finding]) -> None:
        group = subject.tally if isinstance(subject.tally, GroupState) else None
        for rule in subject.kind.rules:
            readings = Readings(rule, subject, self.layout, self.population, self.fleets)
            holds = self._holds[rule.id](readings)
            measured = tuple(readings.items()) if holds else ()
            findings.append(Finding(rule, key, subject.at_us, holds, measured, group))

    def _value64(self, value: FactValue | None) -> int:
        """0 for no value."""
        if value is None or value == "":
            return 0
        if type(value) is int and value >= 1 << 32:
            return value  # a fingerprint already
        return self._hash64(str(value))


def _among(kind: Kind, values: Sequence[FactValue | None]) -> bool:
    return kind.among is None or values[kind.among] is True


def _add_sums(
    which: Sequence[tuple[str, int | None, Over]],
    tally: Tally,
    at_us: int,
    values: Sequence[FactValue | None],
) -> None:
    for signature, at, over in which:
        sums = tally.sums.get(signature)
        if sums is None:
            sums = tally.sums[signature] = Sums(over)
        value = 1.0 if at is None else values[at]
        if isinstance(value, int | float):
            sums.add(at_us, value)


@dataclass(slots=True)
class _Exchange:
    """One that is being recorded."""

    account: AccountState
    seen: Sighting
    values: Sequence[FactValue | None]
    vector: Vector | None
    """Of a novel question."""
    findings: list[Finding]
