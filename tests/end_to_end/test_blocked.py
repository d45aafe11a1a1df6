"""An account that an operator blocks, as its SDKs meet it: checklist row "operator's hand"."""

import httpx
import openai
import pytest

from tests.end_to_end.stage import MODEL, WORDS, Stage
from tests.parts.gauger_inside import SECRET

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("end_to_end")]


async def test_a_blocked_account_is_told_at_once_and_its_sdk_does_not_try_again(
    stage: Stage,
) -> None:
    door, inside = await stage.before()
    account = SECRET.anonymous_account_id(door.key)
    async with (
        httpx.AsyncClient(
            base_url=inside.admin_url, headers={"x-gauger-admin": "1"}, trust_env=False
        ) as operator,
        door.openai(max_retries=2) as client,
    ):
        answer = await operator.post(f"/accounts/{account}/block", json={"why": "A test."})
        assert answer.status_code == 200
        with pytest.raises(openai.PermissionDeniedError) as caught:
            await client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": WORDS}]
            )
        assert caught.value.code == "account_suspended"
        assert "A test." not in str(caught.value)
        (finished,) = await inside.finished(door.key)
        assert finished.decision is not None
        assert [reason.why for reason in finished.decision.reasons] == ["A test."]
        assert door.model.ledger.entries == []
        await operator.post(f"/accounts/{account}/unblock")
        await client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": WORDS}]
        )
        shown = (await operator.get(f"/accounts/{account}")).json()
    assert not shown["named"]
    assert any(row["used"] for row in shown["quotas"])
