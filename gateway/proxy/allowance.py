"""How much of a stream may pass before more has to be reserved for it.

While it comes near the end of what is reserved more is asked for, and the stream flows on. It waits
only where it has reached that end.
"""

import asyncio
from dataclasses import replace

from gateway.admission import Admission, Extended, Permit
from gateway.decision.extension import held_tokens, step_tokens
from gateway.decision.port import StoreState
from gateway.errors import GaugerError
from gateway.facts.refusal import Refusal
from gateway.proxy.background import Background

_NEAR = 4
"""Within this part of a step the next one is asked for."""

_EVERYTHING = 2**62
_UNMEASURED = -1


class QuotaSpent(GaugerError):
    """The stream may not go on."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class Allowance:
    """Of one stream. `permit` changes as it grows; `stop` before it is settled."""

    def __init__(
        self, admission: Admission, permit: Permit, background: Background, *, least_step: int
    ) -> None:
        self.permit = permit
        self._admission = admission
        self._background = background
        self._asking: asyncio.Task[Extended] | None = None
        self._graced = False
        self._least_step = least_step
        self._near = _UNMEASURED
        self._until = self._step = 0

    def suffices(self, tokens: int) -> bool:
        """Nothing has to be asked for so far."""
        if self._near == _UNMEASURED:
            self._measure()
        return tokens < self._near

    async def cover(self, tokens: int) -> None:
        """Returns once so many tokens of output may have passed. Raises `QuotaSpent`."""
        if not self.suffices(tokens) and self._asking is None:
            self._ask(tokens)
        while tokens > self._until:
            asking = self._asking or self._ask(tokens)
            extended = await asyncio.shield(asking)
            if extended.refusal is not None and tokens > self._until:
                raise QuotaSpent(extended.refusal)

    async def stop(self) -> Permit:
        """After this no extension is under way; the permit has all that were made."""
        if self._asking is not None:
            await asyncio.wait({self._asking})
        return self.permit

    def _measure(self) -> None:
        """Only for what streams: most exchanges never ask."""
        permit = self.permit
        reservation, estimate = permit.reservation, permit.decision.estimate
        held = held_tokens(reservation.charges, estimate) if reservation and estimate else None
        self._step = 0 if held is None else step_tokens(held, self._least_step)
        self._until = _EVERYTHING if held is None else held
        if held is not None and estimate is not None and estimate.declared:
            # The model keeps to its ceiling. What passes is counted by its bytes, which may be
            # more; one step beyond a reservation is what any stream may have.
            self._until += self._step
        self._near = max(0, self._until - self._step // _NEAR)

    def _ask(self, tokens: int) -> "asyncio.Task[Extended]":
        more = max(self._step, tokens - self._until)
        self._asking = self._background.start(self._extend(more))
        return self._asking

    async def _extend(self, tokens: int) -> Extended:
        extended = await self._admission.extend(self.permit, tokens)
        self.permit = extended.permit
        if extended.refusal is None:
            self._until += tokens
        elif extended.store_away and not self._graced:
            self._graced = True
            self._until += self._step
            decision = replace(self.permit.decision, store=StoreState.OPEN)
            self.permit = replace(self.permit, decision=decision)
        self._near = self._until - (0 if extended.refusal else self._step // _NEAR)
        self._asking = None
        return extended
