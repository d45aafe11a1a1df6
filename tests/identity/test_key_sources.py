"""Keys that change, fail and come again while tokens are verified by them."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.errors import IdentityUnavailable, UnknownCredential
from gateway.facts.principal import Secret
from gateway.identity.identities import Identities
from gateway.identity.key_sources import KeySources, Pace, UrlKeys, make_identities
from gateway.identity.rules import IdentityRules, parse_identities
from tests.parts.serving import serving
from tests.parts.token_issuer import NOW_US, Published, Signer

SECRET = Secret(b"a secret of the tests")
FIRST, SECOND = Signer(), Signer(key_id="second", name="second")
NEVER = Pace(refresh_s=3600, retry_s=3600, between_s=3600)
AT_ONCE = Pace(refresh_s=3600, retry_s=3600, between_s=0)
OFTEN = Pace(refresh_s=0.001, retry_s=0.001, between_s=0)


@asynccontextmanager
async def published(pace: Pace, *signers: Signer) -> AsyncIterator[tuple[Published, Identities]]:
    issuer = Published(signers or (FIRST,))
    sources = KeySources(pace)
    async with serving(issuer) as url:
        yield issuer, make_identities(rules(f"{url}/jwks"), None, sources)
        await sources.aclose()


def rules(url: str) -> IdentityRules:
    text = f"jwt: [{{issuer: 'https://login.example.com/', audience: gauger, jwks_url: '{url}'}}]"
    return parse_identities({"i.yaml": text}, "i.yaml")


async def taken(identities: Identities, token: str) -> bool:
    try:
        account = await identities.by_credential(token, SECRET, NOW_US)
    except UnknownCredential:
        return False
    return account.id == "acme"


async def test_the_first_tokens_wait_for_the_keys_that_are_asked_for_once() -> None:
    async with published(NEVER) as (issuer, identities):
        issuer.may_answer.clear()
        waiting = [asyncio.create_task(taken(identities, FIRST.token(n=n))) for n in range(20)]
        await issuer.asked_times(1)
        issuer.may_answer.set()
        assert all(await asyncio.gather(*waiting))
        assert issuer.asked == 1


async def test_whoever_leaves_while_keys_are_asked_for_spoils_it_for_nobody() -> None:
    async with published(NEVER) as (issuer, identities):
        issuer.may_answer.clear()
        first, second = (asyncio.create_task(taken(identities, FIRST.token(n=n))) for n in range(2))
        await issuer.asked_times(1)
        first.cancel()
        await asyncio.wait({first})
        issuer.may_answer.set()
        assert first.cancelled()
        assert await second


async def test_a_key_id_that_changes_under_load_fails_no_request() -> None:
    async with published(AT_ONCE) as (issuer, identities):
        assert await taken(identities, FIRST.token())
        for signers in ((FIRST, SECOND), (SECOND,), (SECOND, FIRST), (FIRST,)):
            issuer.signers = signers
            newest = signers[-1]
            sent = [taken(identities, newest.token(n=n, s=len(signers))) for n in range(50)]
            assert all(await asyncio.gather(*sent))


async def test_unknown_key_ids_make_no_flood_of_questions() -> None:
    async with published(NEVER) as (issuer, identities):
        assert await taken(identities, FIRST.token())
        for n in range(50):
            assert not await taken(identities, Signer(key_id=f"made-up-{n}").token())
        assert issuer.asked == 1


async def test_old_keys_stay_while_the_url_fails() -> None:
    async with published(OFTEN) as (issuer, identities):
        assert await taken(identities, FIRST.token())
        issuer.status = 500
        await issuer.asked_times(issuer.asked + 3)
        assert await taken(identities, FIRST.token(n=1))


async def test_a_key_that_is_taken_back_is_believed_no_longer_when_that_is_seen() -> None:
    async with published(OFTEN) as (issuer, identities):
        token = FIRST.token()
        assert await taken(identities, token)
        issuer.signers = (SECOND,)
        await issuer.asked_times(issuer.asked + 2)
        assert not await taken(identities, token)


async def test_with_no_keys_yet_nobody_is_called_a_liar(caplog: pytest.LogCaptureFixture) -> None:
    async with published(AT_ONCE) as (issuer, identities):
        issuer.status = 503
        for _ in range(3):
            with pytest.raises(IdentityUnavailable):
                await identities.by_credential(FIRST.token(), SECRET, NOW_US)
        issuer.status = 200
        assert await taken(identities, FIRST.token())
    told = [(record.levelno, record.getMessage()) for record in caplog.records]
    assert [level for level, _ in told] == [logging.ERROR, logging.WARNING], "once each"
    assert "status 503" in told[0][1]


async def test_a_url_that_stays_keeps_what_it_told_and_one_that_goes_is_left_alone() -> None:
    issuer, sources = Published((FIRST,)), KeySources(NEVER)
    async with serving(issuer) as url:
        before = make_identities(rules(f"{url}/jwks"), None, sources)
        assert await taken(before, FIRST.token())
        again = make_identities(rules(f"{url}/jwks"), None, sources)
        assert await taken(again, FIRST.token())
        assert issuer.asked == 1
        make_identities(None, None, sources)
        assert await taken(before, FIRST.token(n=1)), "an exchange may still hold it"
        assert not await taken(before, SECOND.token())
        assert issuer.asked == 1
        await sources.aclose()


async def test_closing_waits_for_nobody_and_leaves_nothing() -> None:
    issuer, sources = Published((FIRST,)), KeySources(NEVER)
    async with serving(issuer) as url:
        issuer.may_answer.clear()
        identities = make_identities(rules(f"{url}/jwks"), None, sources)
        waiting = asyncio.create_task(taken(identities, FIRST.token()))
        await issuer.asked_times(1)
        await sources.aclose()
        with pytest.raises(IdentityUnavailable):
            await waiting
        issuer.may_answer.set()


async def test_the_same_keys_again_leave_in_force_what_they_verified() -> None:
    async with published(OFTEN) as (issuer, identities):
        assert await taken(identities, FIRST.token())
        (source,) = (known.source for known in identities.tokens._known.values())  # type: ignore[union-attr]
        assert isinstance(source, UrlKeys)
        keys = source.keys
        await issuer.asked_times(issuer.asked + 2)
        assert source.keys is keys
