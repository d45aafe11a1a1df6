"""Sightings, flagged groups and cases as bytes, for what several processes tell each other.

MessagePack of plain lists. What is about a person or a payer leaves the process as a keyed hash.
Whoever reads checks the version; what was written by another one is passed over.
"""

from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

import msgspec
import numpy as np

from gateway.behaviour.board import Case, Flagged, Hand
from gateway.behaviour.hashing import Hash64
from gateway.behaviour.pool import Likeness
from gateway.behaviour.score import Evidence
from gateway.behaviour.sighting import Asked, Sighting
from gateway.facts.catalog import FactValue
from gateway.facts.prompt_traits import Sketch
from gateway.policy.behaviour import Rung
from gateway.policy.quota import Mode

VERSION = 2

PRIVATE = frozenset(
    {
        "account.id",
        "account.organization",
        "account.payment",
        "account.network",
        "client.address",
        "client.user_agent",
        "request.end_user",
        "request.session",
    }
)
"""Facts that leave the process hashed, unless a policy compares them with a constant."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class Unreadable(ValueError):
    """Not of this version, or not ours."""


def sighting_batch(
    digest: str, sightings: Sequence[Sighting], hidden: Sequence[int], hash64: Hash64
) -> bytes:
    """`hidden`: places among `Sighting.named` of what must leave the process hashed only."""
    return _encode([VERSION, digest, [_seen(one, hidden, hash64) for one in sightings]])


def read_batch(encoded: bytes) -> tuple[str, list[Sighting]]:
    """The digest of the policies by which they were seen, and the sightings."""
    digest, listed = _read(encoded)
    try:
        return digest, [_sighting(*one) for one in listed]
    except (TypeError, ValueError) as error:
        raise Unreadable from error


def _seen(seen: Sighting, hidden: Sequence[int], hash64: Hash64) -> list[Any]:
    named: list[FactValue | None] = list(seen.named)
    for at in hidden:
        if named[at] not in {None, ""}:
            named[at] = hash64(str(named[at]))
    asked = seen.asked
    return [
        seen.at_us,
        seen.account,
        seen.opened_us,
        seen.groups,
        named,
        [asked.beginning, asked.end, asked.words, asked.single],
        bytes(asked.sketch.places),
        np.asarray(asked.sketch.values, np.float16).tobytes(),
        seen.answered,
    ]


def _sighting(  # noqa: PLR0917  as they are written
    at_us: int,
    account: int,
    opened_us: int | None,
    groups: list[list[int]],
    named: list[FactValue | None],
    asked: tuple[int, int, int, bool],
    places: bytes,
    values: bytes,
    answered: bool,
) -> Sighting:
    beginning, end, words, single = asked
    sketch = Sketch(tuple(places), tuple(np.frombuffer(values, np.float16).astype(float).tolist()))
    keys = tuple(tuple(group) for group in groups)
    return Sighting(
        at_us,
        account,
        opened_us,
        keys,
        named,
        Asked(beginning, end, words, single=single, sketch=sketch),
        answered,
    )


def flagged_bytes(flagged: Flagged) -> bytes:
    likeness = flagged.likeness
    return _encode(
        [
            VERSION,
            "",
            [
                flagged.key,
                flagged.names,
                [_told(one) for one in flagged.evidence.values()],
                int(flagged.held),
                flagged.since_us,
                flagged.members,
                flagged.exchanges,
                likeness and [likeness.mean.astype(np.float16).tobytes(), float(likeness.cohesion)],
                flagged.by_hand and flagged.by_hand.value,
            ],
        ]
    )


def read_flagged(encoded: bytes) -> Flagged:
    _, (key, names, told, held, since_us, members, exchanges, likeness, hand) = _read(encoded)
    evidence = [_evidence(one) for one in told]
    mean = likeness and np.frombuffer(likeness[0], np.float16).astype(np.float32)
    return Flagged(
        key,
        tuple(names),
        {one.rule: one for one in evidence},
        Rung(held),
        since_us,
        members,
        exchanges,
        Likeness(mean, likeness[1]) if likeness else None,
        Hand(hand) if hand else None,
    )


def case_bytes(case: Case) -> bytes:
    evidence = [_told(one) for one in case.evidence.values()]
    return _encode([VERSION, "", [evidence, int(case.held), case.blocks, case.until_us]])


def read_case(encoded: bytes) -> Case:
    _, (told, held, blocks, until_us) = _read(encoded)
    evidence = [_evidence(one) for one in told]
    return Case({(one.rule, one.group): one for one in evidence}, Rung(held), blocks, until_us)


def _told(evidence: Evidence) -> list[Any]:
    return list(astuple(evidence))


def _evidence(told: list[Any]) -> Evidence:
    rule, why, points, at_us, since_us, measured, group, mode = told
    named = tuple((name, value) for name, value in measured)
    return Evidence(rule, why, points, at_us, since_us, named, group, Mode(mode))


def _read(encoded: bytes) -> tuple[str, list[Any]]:
    try:
        version, digest, listed = _decode(encoded)
    except (msgspec.DecodeError, TypeError, ValueError) as error:
        raise Unreadable from error
    if version != VERSION:
        raise Unreadable(f"version {version}")
    return digest, listed
