from pathlib import Path
from typing import Any

import pytest

from gateway.errors import SettingsError
from gateway.proxy.upstream.port import UpstreamSettings
from gateway.proxy.upstream.target import UpstreamTarget
from gateway.proxy.upstream.tls import ssl_context

HTTPS = UpstreamTarget.parse("https://model")


def test_public_authorities_are_trusted_by_default_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(empty))
    assert len(ssl_context(UpstreamSettings(HTTPS)).get_ca_certs()) > 50


@pytest.mark.parametrize("field", ["ca_file", "client_cert_file"])
@pytest.mark.parametrize("content", [None, "not PEM"])
def test_a_file_that_cannot_be_used_is_named(
    tmp_path: Path, field: str, content: str | None
) -> None:
    path = tmp_path / "broken.pem"
    if content is not None:
        path.write_text(content)
    settings: dict[str, Any] = {field: path}
    with pytest.raises(SettingsError, match=r"broken\.pem cannot be used as .* Allowed: "):
        ssl_context(UpstreamSettings(HTTPS, **settings))


def test_a_key_without_a_certificate_is_an_error() -> None:
    with pytest.raises(SettingsError, match="without a client certificate"):
        ssl_context(UpstreamSettings(HTTPS, client_key_file=Path("key.pem")))
