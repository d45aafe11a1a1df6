"""What is said to the scripts and what they answer: charges into words, raw state into views."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from gateway.decision.bucket import PacedMeter, bucket_view
from gateway.decision.calendar_meter import CalendarMeter
from gateway.decision.hand import UNTOUCHED, Hand
from gateway.decision.leases import held_view
from gateway.decision.measured import change, reading, terms
from gateway.decision.meter import SLICES, Kind, Terms, View
from gateway.decision.plan import Charge, Partition
from gateway.decision.port import Reading, SettledCharge
from gateway.decision.sliding import SlidingMeter
from gateway.policy.quota import Limit
from gateway.store.keys import meter_field, partition_key

Word = str | bytes | int
Raw = int | bytes
Parts = tuple[tuple[str, str], ...]


_HELD_BYTES = 15
_HOLDER_BYTES = 8
_OWN_HEAD_BYTES = 7
_MOMENT_BYTES = 7
_SLIDING_HEAD_BYTES = 19


@dataclass(frozen=True, slots=True)
class Said:
    """Keys and words for one script, and where each charge's answer will stand."""

    keys: list[str]
    words: list[Word]
    order: list[int]
    """Index of the charge, in the order in which the script goes through them."""
    terms: list[Terms]
    """One for each charge, in the plan's order."""


def to_reserve(
    prefix: str, charges: Sequence[Charge], near_us: int = 0, first: Partition | None = None
) -> Said:
    """`near_us` is as for `measured.terms`. `first` is said first, charged or not."""
    groups: dict[str, int] = {}
    for charge in charges:
        if charge.shadow:
            groups.setdefault(charge.limit.quota_id, len(groups) + 1)
    in_numbers, words = [], {}
    for i, charge in enumerate(charges):
        of, spoken = _spoken(charge, near_us)
        in_numbers.append(of)
        words[i] = spoken
        if charge.shadow:
            words[i] = [*spoken[:2], groups[charge.limit.quota_id], *spoken[3:]]
    return _said(prefix, charges, in_numbers, words, first)


def to_settle(prefix: str, settled: Sequence[SettledCharge], near_us: int = 0) -> Said:
    """What does not change is left out; its partition is not, since its record is closed."""
    charges = [one.charge for one in settled]
    in_numbers: list[Terms] = []
    words: dict[int, list[Word]] = {}
    for i, one in enumerate(settled):
        of, spoken = _spoken(one.charge, near_us)
        in_numbers.append(of)
        changed = change(one, of)
        if changed or of.kind is Kind.HELD:
            words[i] = [*spoken[:3], changed, *spoken[4:]]
    return _said(prefix, charges, in_numbers, words)


def to_renew(prefix: str, charges: Sequence[Charge]) -> Said:
    said = [_spoken(charge, 0) for charge in charges]
    in_numbers = [of for of, _ in said]
    words = {i: spoken for i, (of, spoken) in enumerate(said) if of.kind is Kind.HELD}
    return _said(prefix, charges, in_numbers, words)


def readings(said: Said, answer: Sequence[Raw], now_us: int) -> tuple[Reading, ...]:
    """The script's answer without its first two values, in the plan's order."""
    found: list[Reading | None] = [None] * len(said.order)
    at = 0
    for index in said.order:
        charged, a, b, c = answer[at : at + 4]
        at += 4
        of = said.terms[index]
        if of.kind is Kind.SLIDING and isinstance(a, int):
            found[index] = _fitting(of, a, int(b), now_us, charged=charged == 1)
        else:
            view = _view(of, a, int(b), int(c), now_us)
            found[index] = reading(view, of, now_us, charged=charged == 1)
    return tuple([one for one in found if one is not None])


def open_holders(own: bytes, now_us: int) -> Iterable[bytes]:
    """Digests of what is unsettled, from a partition's own field."""
    for at in range(_OWN_HEAD_BYTES, len(own), _HELD_BYTES):
        holder, deadline = own[at : at + _HOLDER_BYTES], own[at + _HOLDER_BYTES : at + _HELD_BYTES]
        if int.from_bytes(deadline, "little") > now_us:
            yield holder


def hand_bytes(hand: Hand) -> bytes:
    """As it is kept: when nothing of it is left, then JSON; nothing at all if there is none."""
    if hand == UNTOUCHED:
        return b""
    return hand.until_us.to_bytes(_MOMENT_BYTES, "little") + msgspec.json.encode(hand)


def read_hand(stored: bytes) -> Hand:
    return msgspec.json.decode(stored[_MOMENT_BYTES:], type=Hand) if stored else UNTOUCHED


def _said(
    prefix: str,
    charges: Sequence[Charge],
    in_numbers: list[Terms],
    words: dict[int, list[Word]],
    first: Partition | None = None,
) -> Said:
    by_parts: dict[Parts, tuple[Partition, list[int]]] = {first.parts: (first, [])} if first else {}
    for i, charge in enumerate(charges):
        partition = charge.partition
        known = by_parts.get(partition.parts)
        if known is None:
            by_parts[partition.parts] = (partition, [i])
        else:
            known[1].append(i)
    spoken: list[Word] = []
    order: list[int] = []
    for _, indexes in by_parts.values():
        said_of = [i for i in indexes if i in words]
        order += said_of
        spoken.append(len(said_of))
        for i in said_of:
            spoken += words[i]
    keys = [partition_key(prefix, partition) for partition, _ in by_parts.values()]
    return Said(keys, spoken, order, in_numbers)


def _spoken(charge: Charge, near_us: int) -> tuple[Terms, list[Word]]:
    """The charge's terms, and its seven words as something enforced.

    Limits live as long as their policies and most amounts come again, so both are remembered: by
    the limit's identity, since a limit is hashed slowly.
    """
    limit = charge.limit
    key = id(limit), charge.amount
    known = _remembered.get(key)
    if known is not None and known[0] is limit:
        return known[1], known[2]
    of = terms(charge, near_us)
    span = _starts(of) if of.kind is Kind.CALENDAR else of.span_us
    spoken: list[Word] = [
        of.kind.value, meter_field(limit.meter), 0, of.cost, of.capacity, span, of.rate
    ]  # fmt: skip
    if of.kind is not Kind.CALENDAR:  # whose words depend on the moment
        if len(_remembered) >= _MOST_REMEMBERED:
            _remembered.clear()
        _remembered[key] = (limit, of, spoken)
    return of, spoken


_MOST_REMEMBERED = 16_384
_remembered: dict[tuple[int, int], tuple[Limit, Terms, list[Word]]] = {}
"""With the limit itself, so that no other can take its identity."""


def _fitting(of: Terms, used: int, last: int, now_us: int, *, charged: bool) -> Reading:
    """Of a sliding meter that fits, which is the ordinary case; as `SlidingMeter.view`."""
    span_us = of.span_us
    if charged:
        last = now_us // span_us
    empty_after_us = (last + SLICES + 1) * span_us - now_us if used or charged else 0
    return Reading(used + of.units if charged else used, True, charged, 0, empty_after_us)  # noqa: FBT003


def _starts(of: Terms) -> bytes:
    """What began before the epoch has no place here, and no store's clock is so early."""
    return b"".join(max(0, start_us).to_bytes(_MOMENT_BYTES, "little") for start_us in of.starts_us)


def _view(of: Terms, a: Raw, b: int, c: int, now_us: int) -> View:
    """What a meter says, from what the script tells of it.

    A sliding meter that refuses comes packed, to tell when it will not; otherwise its total and its
    last slice are enough (`_fitting`).
    """
    if isinstance(a, bytes):
        return sliding_meter(a).view(of, now_us)
    match of.kind:
        case Kind.PACED:
            return PacedMeter(drained_at_us=a).view(of, now_us)
        case Kind.BUCKET:
            return bucket_view(a, b, c, of, now_us)
        case Kind.CALENDAR:
            return CalendarMeter(start_us=b, used=a).view(of, now_us)
        case _:
            return held_view(a, of, now_us)


def sliding_meter(packed: bytes) -> SlidingMeter:
    """The state that `scripts/sliding.lua` packs.

    Width, span, last slice, its amount, total; then for each slice before the last the gap to the
    next one and the amount.
    """
    if not packed:
        return SlidingMeter()
    width, span = packed[0], packed[1]
    last, amount, total = (
        int.from_bytes(packed[at:to], "little") for at, to in ((2, 7), (7, 13), (13, 19))
    )
    slices, amounts, slice_ = [], [], last - span
    for at in range(_SLIDING_HEAD_BYTES, len(packed), 1 + width):
        slices.append(slice_)
        amounts.append(int.from_bytes(packed[at + 1 : at + 1 + width], "little"))
        slice_ += packed[at]
    return SlidingMeter(total, [*slices, last], [*amounts, amount])
