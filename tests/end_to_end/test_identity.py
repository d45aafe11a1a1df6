"""Who calls, by keys that gauger handed out, and which key the model API sees."""

from pathlib import Path

import anthropic
import openai
import pytest

from gateway.demo.ledger import digest
from gateway.demo.model_api import ModelApi
from tests.end_to_end.stage import MODEL, POLICIES, WORDS, Stage
from tests.parts.gauger_process import gauger, run
from tests.parts.two_sdks import anthropic_sdk, openai_sdk

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("end_to_end")]

MODEL_KEY = "sk-the-model-apis-own"


async def test_a_key_that_was_handed_out_is_taken_and_never_passed_on(
    stage: Stage, tmp_path: Path
) -> None:
    accounts = tmp_path / "accounts.yaml"
    key = await run("account", "add", "acme", "--accounts", str(accounts))
    assert key not in accounts.read_text()
    async with gauger(
        POLICIES / "generous.yaml",
        stage.url,
        *("--accounts", str(accounts), "--upstream-key-env", "THE_MODELS_KEY"),
        environ={"THE_MODELS_KEY": MODEL_KEY},
    ) as running:
        stage.model = ModelApi(api_key=MODEL_KEY)
        async with openai_sdk(running.url, key) as client:
            await client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": WORDS}]
            )
        async with anthropic_sdk(running.url, key) as other:
            await other.messages.create(
                model=MODEL, max_tokens=5, messages=[{"role": "user", "content": WORDS}]
            )
        entries = list(stage.model.ledger.entries)
        async with openai_sdk(running.url, "sk-made-up") as client:
            with pytest.raises(openai.AuthenticationError):
                await client.models.list()
        async with anthropic_sdk(running.url, "sk-made-up") as other:
            with pytest.raises(anthropic.AuthenticationError):
                await other.messages.create(
                    model=MODEL, max_tokens=5, messages=[{"role": "user", "content": WORDS}]
                )
    assert [entry.status for entry in entries] == [200, 200]
    assert [entry.credential for entry in entries] == [digest(MODEL_KEY)] * 2
    assert digest(key) not in repr(entries)
    assert stage.model.ledger.entries == entries
