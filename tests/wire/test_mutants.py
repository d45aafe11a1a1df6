"""No mutant has two meanings: refused, or one request with the very bytes of its body."""

import asyncio
from itertools import islice

import pytest

from gateway.proxy.wire_limits import WireLimits
from tests.wire.conversation import Conversation, conversation
from tests.wire.mutants import CHUNKED_BODY, FAMILIES
from tests.wire.recording import Recorder, statuses
from tests.wire.rows import BODY

SHORT = WireLimits(head_s=0.5, body_span_s=0.5, linger_s=0.5, idle_s=0.5)
PATIENCE_S = 10.0
SEVERAL = 200


async def fault_of(talk: Conversation, mutant: bytes) -> str | None:
    async with talk.client() as client:
        await client.say(mutant)
        async with asyncio.timeout(PATIENCE_S):
            said = statuses(await client.rest())
    if not said or said[1:] not in ([], [400]):  # 400: what is left when the body lost its length
        return f"answers: {said}"
    if said == [408] and not unfinished(mutant):
        return "waited for more"
    return None


def unfinished(mutant: bytes) -> bool:
    """Something is still to come by the strictest reading, too: the mutant lost its end."""
    whole = mutant.partition(b"\r\n\r\n")
    return not whole[1] or whole[2] in (CHUNKED_BODY[:-at] for at in range(1, 5))


@pytest.mark.parametrize("family", FAMILIES)
async def test_one_answer_and_at_most_one_request(family: str) -> None:
    mutants = list(FAMILIES[family]())
    assert len(mutants) > SEVERAL or family in ("two codings", "lengths")
    model = Recorder()
    faults: list[tuple[str, bytes]] = []
    async with conversation(model.script, limits=SHORT) as talk:
        for mutant in mutants:
            before = len(model.requests)
            fault = await fault_of(talk, mutant)
            seen = model.requests[before:]
            if fault is None and len(seen) > 1:
                fault = f"{len(seen)} requests"
            if fault is None and any(not request.endswith(b"\r\n\r\n" + BODY) for request in seen):
                fault = "another body"
            if fault is not None:
                faults.append((fault, mutant))
    assert list(islice(faults, 10)) == []
    assert not any(b"hidden" in request for request in model.requests)
