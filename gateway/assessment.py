"""Behaviour's async story: standings at once, sightings off the latency path.

A standing is worked out in process. What was seen is put aside and recorded a moment later, in
small portions, so that no exchange waits for it; what is too much is dropped and counted.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping

from gateway.behaviour.board import Board
from gateway.behaviour.record import Finding
from gateway.behaviour.sighting import Sighting
from gateway.behaviour.standing import NO_STANDING, Standing
from gateway.behaviour.watch import Watch
from gateway.facts.catalog import Facts
from gateway.facts.prompt_traits import NO_TRAITS, PromptTraits
from gateway.facts.usage import UNREPORTED
from gateway.policy.behaviour import Behaviours

_log = logging.getLogger(__name__)

WAITING = 10_000
"""Sightings that may wait; more are dropped."""

PORTION = 32
"""Recorded without a pause: well under a millisecond of the event loop."""

DELAY_S = 0.02
"""The request is on its way by then."""

PRUNED_EVERY_US = 60 * 1_000_000

Heard = Callable[[Finding], object]


class Assessment:
    """Of one process that decides by itself. For one event loop."""

    def __init__(
        self, watch: Watch, heard: Heard | None = None, *, reads_prompts: bool = False
    ) -> None:
        """`heard` is told of every rule that holds.

        `reads_prompts`: somebody wants fingerprints even where no behaviour policy does.
        """
        self._reads_prompts = reads_prompts
        self._watch = watch
        self._heard = heard
        self._waiting: deque[Facts] = deque()
        self._draining: asyncio.Handle | None = None
        self._pruned_us = 0
        self.dropped = 0
        """Sightings, since there were too many."""

    @property
    def board(self) -> Board:
        return self._watch.board

    @property
    def watch(self) -> Watch:
        return self._watch

    def put_in_force(self, behaviours: Behaviours) -> None:
        self._watch.put_in_force(behaviours)

    @property
    def headers(self) -> frozenset[str]:
        """Which a policy sets on requests to the upstream: nobody else may."""
        steps = self._watch.behaviours.ladder
        return frozenset(step.header.lower() for step in steps if step.header)

    def prompt_of(self, body: Mapping[str, object]) -> PromptTraits:
        """Nothing where nobody asks for it."""
        if not (self._reads_prompts or self._watch.at_work):
            return NO_TRAITS
        return self._watch.fingerprints.of(body)

    def standing(self, facts: Facts) -> Standing:
        """A bug in here lets the exchange pass: quotas still hold."""
        try:
            return self._watch.standing(facts)
        except Exception as error:  # noqa: BLE001  told by type alone: values are callers'
            _log.error("standing: %s", type(error).__name__)
            return NO_STANDING

    def observe(self, facts: Facts) -> None:
        """Never waits, and never fails."""
        if not self._watch.at_work:
            return
        if len(self._waiting) >= WAITING:
            self.dropped += 1
            return
        self._waiting.append(facts)
        if self._draining is None:
            self._draining = asyncio.get_running_loop().call_later(DELAY_S, self._drain)

    @property
    def wants_answers(self) -> bool:
        """A behaviour measures what only the answer tells."""
        return self._watch.layout.after_answer

    def observe_answer(self, facts: Facts) -> None:
        """The same, of an exchange whose usage is known now."""
        if len(self._waiting) < WAITING:
            self._waiting.append(facts)
            if self._draining is None:
                self._draining = asyncio.get_running_loop().call_later(DELAY_S, self._drain)

    def settle(self) -> None:
        """Record all that waits, now: for a clock that is simulated, and for the end."""
        while self._waiting:
            self._record(self._waiting.popleft())

    def _drain(self) -> None:
        for _ in range(min(PORTION, len(self._waiting))):
            self._record(self._waiting.popleft())
        self._draining = None
        if self._waiting:
            self._draining = asyncio.get_running_loop().call_later(0, self._drain)

    def _record(self, facts: Facts) -> None:
        self.weigh(self._sighting(facts))

    def _sighting(self, facts: Facts) -> Sighting:
        answered = self._watch.answered(facts) if facts.usage is not UNREPORTED else None
        return answered or self._watch.seen(facts)

    def weigh(self, seen: Sighting) -> None:
        """Record one, and tell of what holds. A bug in here costs this sighting alone."""
        try:
            findings = self._watch.take(seen)
        except Exception as error:  # noqa: BLE001  told by type alone: values are callers'
            _log.error("sighting: %s", type(error).__name__)
            return
        if self._heard is not None:
            for finding in findings:
                if finding.holds:
                    self._heard(finding)
        if seen.at_us - self._pruned_us > PRUNED_EVERY_US:
            self._pruned_us = seen.at_us
            self._watch.board.prune(seen.at_us, self._watch.behaviours.score)
