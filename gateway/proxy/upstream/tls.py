"""TLS towards the upstream: always verified, for our side optionally with a certificate."""

import ssl

import httpx

from gateway.errors import SettingsError
from gateway.proxy.upstream.port import UpstreamSettings


def ssl_context(settings: UpstreamSettings) -> ssl.SSLContext:
    """Raises `SettingsError` for files that cannot be used.

    Without `ca_file` the public authorities are those of certifi, as httpx ships them: slim
    images often have no bundle of the system's own. For plain http nothing is loaded. In each case
    the name in the certificate has to be the upstream's, and TLS is 1.2 at least.
    """
    if settings.target.scheme == "http":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if settings.ca_file is None:
            context = httpx.create_ssl_context(trust_env=False)
        else:
            context = ssl.create_default_context(cafile=settings.ca_file)
    except OSError as exc:  # ssl.SSLError is one
        raise SettingsError(
            f"upstream: {settings.ca_file} cannot be used as a CA bundle: {exc}. "
            "Allowed: a readable file of PEM certificates."
        ) from exc
    if settings.client_cert_file is not None:
        try:
            # Without a password the terminal would be asked for one, and the process hang.
            context.load_cert_chain(
                settings.client_cert_file, settings.client_key_file, password=_no_password
            )
        except (OSError, ValueError) as exc:
            raise SettingsError(
                f"upstream: {settings.client_cert_file} cannot be used as the client certificate: "
                f"{exc}. Allowed: readable PEM files of a certificate and its key, unencrypted."
            ) from exc
    elif settings.client_key_file is not None:
        raise SettingsError("upstream: a client key without a client certificate is not used.")
    return context


def _no_password() -> str:
    raise ValueError("the key is encrypted")
