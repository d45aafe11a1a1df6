"""A whole gauger behind TLS, with an admin token, with probes."""

import asyncio
import json
import logging
from pathlib import Path

import httpx
import pytest

from gateway.console.audit import AUDIT
from gateway.errors import SettingsError
from tests.parts.authority import Authority
from tests.parts.gauger_inside import LOOPBACK, GaugerInside, gauger_inside
from tests.parts.serving import serving
from tests.reload.files import listening, policy, replace
from tests.reload.traffic import KEY, Model, ask

TOKEN = "the-admin-token-of-these-tests-0123456789"
BEARER = {"authorization": f"Bearer {TOKEN}"}
CHANGE = {**BEARER, "x-gauger-admin": "1"}


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "quotas.yaml").write_text(policy("requests", "100 requests/minute"))
    return tmp_path / "policies"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    (tmp_path / "tls").mkdir()
    return Authority(tmp_path / "tls")


def client_of(authority: Authority) -> httpx.AsyncClient:
    return httpx.AsyncClient(verify=authority.client(), trust_env=False)


async def shown(url: str, authority: Authority) -> bytes:
    """The certificate that a new connection is shown."""
    host, port = httpx.URL(url).host, httpx.URL(url).port
    _, writer = await asyncio.open_connection(host, port, ssl=authority.client())
    certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    return bytes(certificate)


async def until_other(url: str, authority: Authority, than: bytes) -> None:
    async with asyncio.timeout(20.0):
        while await shown(url, authority) == than:
            pass


async def refused_of(inside: GaugerInside, client: httpx.AsyncClient) -> str:
    return (await client.get(inside.admin_url, headers=BEARER)).text


async def test_a_renewed_pair_is_in_force_while_a_stream_flows_and_a_bad_one_never_is(
    policies: Path, authority: Authority
) -> None:
    cert, key = authority.pair("door")
    model = Model()
    async with (
        serving(model) as upstream,
        gauger_inside(
            policies,
            upstream,
            tls_cert=cert,
            tls_key=key,
            admin_tls_cert=cert,
            admin_tls_key=key,
            admin_token=TOKEN.encode(),
        ) as inside,
        client_of(authority) as client,
    ):
        assert inside.url.startswith("https://")
        assert inside.admin_url.startswith("https://")
        held = model.hold()
        asking = asyncio.create_task(ask(client, inside.url))
        await model.until_arrived(1)
        first = await shown(inside.url, authority)

        renewed = [path.read_bytes() for path in authority.pair("next")]
        async with listening() as said:
            replace(key, renewed[1].decode())  # of another certificate, as renewals begin
            line = await said.until("tls: the new version is refused", "stays in force")
            assert "PRIVATE KEY" not in line
            assert "not in force" in await refused_of(inside, client)
            assert await shown(inside.url, authority) == first
            replace(cert, renewed[0].decode())
            await said.until("tls: ", "is in force in the place of")
        await until_other(inside.url, authority, first)
        await until_other(inside.admin_url, authority, first)
        held.set()
        assert (await asking).status_code == 200
        assert (await ask(client, inside.url)).status_code == 200
        assert "not in force" not in await refused_of(inside, client)


async def test_a_pair_that_does_not_fit_ends_the_start(
    policies: Path, authority: Authority
) -> None:
    cert, other = authority.pair("door")[0], authority.pair("other")[1]
    with pytest.raises(SettingsError, match="--tls-cert"):
        async with gauger_inside(policies, "http://127.0.0.1:9", tls_cert=cert, tls_key=other):
            pass


async def test_the_upstream_is_believed_by_its_authority_and_shown_our_certificate(
    policies: Path, authority: Authority
) -> None:
    cert, key = authority.pair("model")
    own = authority.pair("gauger", "gauger.example")
    async with (
        serving(Model()) as plain,
        gauger_inside(  # a gauger is a model API that asks for certificates
            policies, plain, tls_cert=cert, tls_key=key, tls_client_ca=authority.ca_file
        ) as model,
        gauger_inside(
            policies,
            model.url,
            upstream_tls_ca=(str(authority.ca_file),),
            upstream_tls_cert=(str(own[0]),),
            upstream_tls_key=(str(own[1]),),
        ) as inside,
        gauger_inside(
            policies, model.url, upstream_tls_ca=(str(authority.ca_file),)
        ) as with_no_certificate,
        gauger_inside(policies, model.url) as with_other_authorities,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        assert (await ask(client, inside.url)).status_code == 200
        assert (await ask(client, with_no_certificate.url)).status_code == 502
        assert (await ask(client, with_other_authorities.url)).status_code == 502
        told = {one.what: one.outcome for one in await inside.reload("a test")}
        assert told["upstream_tls"] == "unchanged"


async def test_probes_have_a_port_of_their_own_which_asks_nobody(policies: Path) -> None:
    async with (
        gauger_inside(
            policies, "http://127.0.0.1:9", probes=LOOPBACK, admin_token=TOKEN.encode()
        ) as inside,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await client.get(inside.probes_url + path)).status_code == 200
        assert (await client.get(inside.probes_url + "/decisions")).status_code == 404
        assert (await client.get(inside.admin_url + "/metrics")).status_code == 401
        assert (await client.get(inside.admin_url + "/readyz")).status_code == 200
        assert (await client.get(inside.admin_url + "/metrics", headers=BEARER)).is_success


async def test_deeds_by_the_admin_port_and_by_a_signal_are_in_one_audit_log(
    policies: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, AUDIT)
    file = tmp_path / "audit.jsonl"
    async with (
        gauger_inside(
            policies, "http://127.0.0.1:9", audit_log=file, admin_token=TOKEN.encode()
        ) as inside,
        httpx.AsyncClient(trust_env=False, base_url=inside.admin_url) as client,
    ):
        await client.post("/accounts/acme/block", json={"why": "x"}, headers=CHANGE)
        await client.post("/reload", headers=CHANGE)
        await inside.reload("SIGHUP")
        await client.get("/", headers={"authorization": "Bearer wrong"})
    told = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(one["what"], one["who"], one["result"]) for one in told] == [
        ("block", "127.0.0.1", "done"),
        ("reload", "127.0.0.1", "done"),
        ("reload", "SIGHUP", "done"),
        ("token", "127.0.0.1", "refused"),
    ]
    assert told == [json.loads(r.getMessage()) for r in caplog.records if r.name == AUDIT]
    assert KEY not in file.read_text()
    assert TOKEN not in file.read_text()
