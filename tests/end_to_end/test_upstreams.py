"""Several model APIs behind one gauger: by dialect, by model, each with its own key."""

from pathlib import Path

import pytest

from gateway.demo.ledger import digest
from gateway.demo.model_api import ModelApi
from tests.end_to_end.stage import MODEL, POLICIES, WORDS
from tests.parts.gauger_process import gauger
from tests.parts.serving import serving
from tests.parts.two_sdks import anthropic_sdk, openai_sdk

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("end_to_end")]

SMALL = "small-local"


async def test_each_request_goes_to_the_model_api_that_was_named_for_it(
    tmp_path: Path,
) -> None:
    identities = tmp_path / "identities.yaml"
    identities.write_text("unknown_keys: admit\n")
    rest, anthropics, locals_ = ModelApi(), ModelApi(), ModelApi(models=(SMALL,))
    async with (
        serving(rest) as rest_url,
        serving(anthropics) as anthropic_url,
        serving(locals_) as local_url,
        gauger(
            POLICIES / "generous.yaml",
            rest_url,
            *("--upstream", f"anthropic={anthropic_url}", "--upstream", f"small-*={local_url}"),
            *("--upstream-key-env", "OURS", "--upstream-key-env", "anthropic=THEIRS"),
            *("--identities", str(identities)),
            environ={"OURS": "sk-ours", "THEIRS": "sk-theirs"},
        ) as running,
        openai_sdk(running.url, "a-callers-key") as chat,
        anthropic_sdk(running.url, "a-callers-key") as messages,
    ):
        for model in (MODEL, SMALL):
            await chat.chat.completions.create(
                model=model, messages=[{"role": "user", "content": WORDS}], max_tokens=5
            )
        await messages.messages.create(
            model=MODEL, messages=[{"role": "user", "content": WORDS}], max_tokens=5
        )
        seen = [api.ledger.entries for api in (rest, anthropics, locals_)]
    assert [len(entries) for entries in seen] == [1, 1, 1]
    assert seen[0][0].credential == digest("sk-ours")
    assert seen[1][0].credential == digest("sk-theirs")
    assert seen[2][0].credential is None, "a model API without a key is shown nobody's"
