"""Tokens, a front proxy and unknown keys, by the SDKs that people use, on a whole gauger."""

import time
from collections.abc import Callable
from pathlib import Path

import anthropic
import openai
import pytest

from gateway.errors import SettingsError
from gateway.facts.principal import Secret
from tests.parts.gauger_inside import SECRET
from tests.parts.serving import serving
from tests.parts.token_issuer import Published, Signer, key_set
from tests.parts.two_sdks import anthropic_sdk, openai_sdk
from tests.reload.traffic import ADMIN, Scene, scene

QUOTAS = """\
quotas:
  - id: requests
    why: Two a day tell accounts apart.
    limit: 2 requests/day
    per: account
"""
MODEL_KEY = "sk-of-the-model-api"
SIGNER, NEXT = Signer(), Signer(key_id="next", name="next")


def token(signer: Signer = SIGNER, **claims: object) -> str:
    return signer.token(**{"exp": int(time.time()) + 600, **claims})


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "quotas.yaml").write_text(QUOTAS)
    return tmp_path / "policies"


def jwt_file(directory: Path, keys: str) -> Path:
    file = directory / "identities.yaml"
    file.write_text(
        "jwt:\n  - issuer: https://login.example.com/\n    audience: gauger\n"
        f"    {keys}\n    plan: plan\n"
    )
    return file


async def chat(url: str, key: str, **headers: str) -> None:
    async with openai_sdk(url, key) as client:
        await client.chat.completions.create(
            model="small",
            messages=[{"role": "user", "content": "Hi"}],
            max_tokens=5,
            extra_headers=headers,
        )


async def test_a_token_is_taken_by_both_sdks_and_its_subject_pays(
    policies: Path, tmp_path: Path
) -> None:
    async with serving(Published((SIGNER,))) as issuer:
        identities = jwt_file(tmp_path, f"jwks_url: {issuer}/jwks")
        async with scene(policies, identities=identities, upstream_key=MODEL_KEY) as playing:
            await chat(playing.inside.url, token())
            await message(playing.inside.url, token(plan="pro", n=1))
            with pytest.raises(openai.RateLimitError):
                await chat(playing.inside.url, token(n=2))
            await chat(playing.inside.url, token(sub="somebody-else"))
            assert playing.model.arrived == 3


async def message(url: str, key: str) -> None:
    async with anthropic_sdk(url, key) as client:
        await client.messages.create(
            model="small", max_tokens=5, messages=[{"role": "user", "content": "Hi"}]
        )


UNKNOWN: dict[str, tuple[Callable[[], str], str]] = {
    "expired": (lambda: token(exp=int(time.time()) - 60), "The token has expired"),
    "another audience": (lambda: token(aud="another"), "for another audience"),
    "another's key": (lambda: token(Signer(name="thief")), "signature is wrong"),
    "unknown key id": (lambda: token(Signer(key_id="unheard")), "does not publish"),
    "unknown key": (lambda: "sk-a-key-of-nobody", "not known here"),
}


@pytest.mark.parametrize("case", UNKNOWN)
async def test_each_sdk_is_told_why_it_is_not_let_in(
    policies: Path, tmp_path: Path, case: str
) -> None:
    make, words = UNKNOWN[case]
    (tmp_path / "keys.json").write_bytes(key_set(SIGNER.jwk))
    identities = jwt_file(tmp_path, "jwks_file: keys.json")
    async with scene(policies, identities=identities, upstream_key=MODEL_KEY) as playing:
        with pytest.raises(openai.AuthenticationError, match=words):
            await chat(playing.inside.url, make())
        with pytest.raises(anthropic.AuthenticationError, match=words):
            await message(playing.inside.url, make())
        assert playing.model.arrived == 0


async def test_without_a_key_for_the_model_api_no_token_is_taken(
    policies: Path, tmp_path: Path
) -> None:
    """Neither at the start nor later: the token would have to go on in the key's place."""
    (tmp_path / "keys.json").write_bytes(key_set(SIGNER.jwk))
    identities = jwt_file(tmp_path, "jwks_file: keys.json")
    with pytest.raises(SettingsError, match=r"identities\.yaml: .*--upstream-key-env"):
        async with scene(policies, identities=identities):
            raise AssertionError
    identities.write_text("unknown_keys: admit")
    async with scene(policies, identities=identities, reload_every_s=None) as playing:
        jwt_file(tmp_path, "jwks_file: keys.json")
        told = await playing.reload()
        assert "--upstream-key-env" in told.text
        assert (await playing.ask(key="sk-still-admitted")).status_code == 200


async def test_unknown_callers_are_in_no_metric(policies: Path, tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_bytes(key_set(SIGNER.jwk))
    identities = jwt_file(tmp_path, "jwks_file: keys.json")
    async with scene(policies, identities=identities, upstream_key=MODEL_KEY) as playing:
        before = await series(playing, "sk-canary-0")
        for n in range(1, 8):  # fewer than would be taken for guessing
            assert await series(playing, f"sk-canary-{n}") == before
            assert await series(playing, token(sub=f"canary-{n}", aud="x")) == before
        assert "canary" not in (await playing.operators.get("/metrics")).text


async def series(playing: Scene, key: str) -> int:
    """How many there are after one more request of this key."""
    assert (await playing.ask(key=key)).status_code == 401
    return len((await playing.operators.get("/metrics")).text.splitlines())


async def test_keys_and_proxies_change_while_it_runs(policies: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_bytes(key_set(SIGNER.jwk))
    identities = jwt_file(tmp_path, "jwks_file: keys.json")
    async with scene(
        policies, identities=identities, upstream_key=MODEL_KEY, reload_every_s=None
    ) as playing:
        await chat(playing.inside.url, token())
        keys.write_bytes(key_set(NEXT.jwk))
        assert (await playing.operators.post("/reload", headers=ADMIN)).status_code == 200
        await chat(playing.inside.url, token(NEXT, sub="b"))
        with pytest.raises(openai.AuthenticationError, match="does not publish"):
            await chat(playing.inside.url, token())
        keys.write_text("{}")
        assert (await playing.operators.post("/reload", headers=ADMIN)).status_code != 200
        await chat(playing.inside.url, token(NEXT, sub="b", n=1))
        keys.write_bytes(key_set(NEXT.jwk))
        identities.write_text("front_proxy: {addresses: 127.0.0.1, account_header: x-account-id}\n")
        await playing.operators.post("/reload", headers=ADMIN)
        await chat(playing.inside.url, "sk-of-the-model-api", **{"x-account-id": "c"})
        with pytest.raises(openai.AuthenticationError, match="not known here"):
            await chat(playing.inside.url, token(NEXT))


async def test_unknown_keys_are_admitted_beside_an_accounts_file_if_it_says_so(
    policies: Path, tmp_path: Path
) -> None:
    accounts, identities = tmp_path / "accounts.yaml", tmp_path / "identities.yaml"
    known = Secret(SECRET.key).credential_hash("sk-known")
    accounts.write_text(f"accounts: [{{id: acme, keys: [{{hash: {known}}}]}}]\n")
    identities.write_text("unknown_keys: admit\n")
    async with scene(policies, accounts=accounts, identities=identities) as playing:
        for key in ("sk-known", "sk-unknown"):
            assert (await playing.ask(key=key)).status_code == 200
    async with scene(policies, accounts=accounts) as playing:
        assert (await playing.ask(key="sk-known")).status_code == 200
        assert (await playing.ask(key="sk-unknown")).status_code == 401
