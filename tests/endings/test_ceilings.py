"""No field can be played against another: the most that any server might read is reserved."""

from typing import Any

import httpx
import pytest

from tests.endings.speakers import MODEL, SAID
from tests.endings.stage import Theatre

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("endings")]

CHAT, TEXT, RESPONSES = "/v1/chat/completions", "/v1/completions", "/v1/responses"
GEMINI = f"/v1beta/models/{MODEL}:generateContent"
MESSAGES = {"messages": [{"role": "user", "content": SAID}]}
CONTENTS = {"contents": [{"parts": [{"text": SAID}]}]}


@pytest.mark.parametrize(
    ("path", "fields", "reserved"),
    [
        (CHAT, {**MESSAGES, "max_tokens": 10, "max_completion_tokens": 700}, 700),
        (CHAT, {**MESSAGES, "max_tokens": 700, "max_completion_tokens": 10}, 700),
        (CHAT, {**MESSAGES, "max_tokens": 10, "n": 7}, 70),
        (CHAT, {**MESSAGES, "max_tokens": 10, "n": 2, "n_cmpl": 7}, 70),
        (CHAT, {**MESSAGES, "max_tokens": 10, "n_predict": 700}, 700),
        (CHAT, {**MESSAGES, "max_completion_tokens": 10, "best_of": 100}, 10),
        (TEXT, {"prompt": SAID, "max_tokens": 10, "n": 2, "best_of": 7}, 70),
        (TEXT, {"prompt": SAID, "max_tokens": 10, "n": 7, "best_of": 1}, 70),
        (TEXT, {"prompt": [SAID] * 3, "max_tokens": 10, "n": 7}, 210),
        (TEXT, {"prompt": SAID, "max_tokens": 10, "n_predict": 700, "n": 2}, 1_400),
        (RESPONSES, {"input": SAID, "max_output_tokens": 70}, 70),
        ("/v1/messages", {**MESSAGES, "max_tokens": 70}, 70),
        (
            GEMINI,
            {**CONTENTS, "generationConfig": {"maxOutputTokens": 10, "candidateCount": 7}},
            70,
        ),
        (
            GEMINI,
            {**CONTENTS, "generation_config": {"max_output_tokens": 10, "candidate_count": 7}},
            70,
        ),
    ],
)
async def test_the_most_that_the_fields_can_mean_is_reserved(
    theatre: Theatre, path: str, fields: dict[str, Any], reserved: int
) -> None:
    scene = await theatre.scene()
    headers = {"authorization": f"Bearer {scene.key}"}
    if path == GEMINI:
        headers = {"x-goog-api-key": scene.key}
    asked = fields if path == GEMINI else {"model": MODEL, **fields}
    async with httpx.AsyncClient(base_url=scene.inside.url) as client:
        await client.post(path, json=asked, headers=headers)
    decision = (await scene.finished()).decision
    assert decision is not None
    assert decision.estimate is not None
    assert (decision.estimate.output_tokens, decision.estimate.declared) == (reserved, True)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (CHAT, {**MESSAGES, "max_tokens": 10, "n": 0}),
        (CHAT, {**MESSAGES, "max_tokens": 10, "n": -5}),
        (CHAT, {**MESSAGES, "max_tokens": -1}),
        (CHAT, {**MESSAGES, "max_tokens": 10, "n": 10**6}),
        (TEXT, {"prompt": SAID, "max_tokens": 10, "best_of": -1}),
        ("/v1/messages", {**MESSAGES, "max_tokens": -1}),
        (GEMINI, {**CONTENTS, "generationConfig": {"candidateCount": 0}}),
        (
            GEMINI,
            {**CONTENTS, "generationConfig": {"maxOutputTokens": 9, "max_output_tokens": 900}},
        ),
    ],
)
async def test_what_would_reserve_nothing_or_has_two_meanings_is_rejected(
    theatre: Theatre, path: str, fields: dict[str, Any]
) -> None:
    scene = await theatre.scene()
    asked = fields if path == GEMINI else {"model": MODEL, **fields}
    headers = {"authorization": f"Bearer {scene.key}"}
    if path == GEMINI:
        headers = {"x-goog-api-key": scene.key}
    async with httpx.AsyncClient(base_url=scene.inside.url) as client:
        answer = await client.post(path, json=asked, headers=headers)
    assert answer.status_code == 400
    assert scene.model.ledger.entries == []
