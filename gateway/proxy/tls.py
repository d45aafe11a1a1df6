"""TLS towards callers and operators: what we show, and whether we ask for a certificate.

At least TLS 1.2, HTTP/1.1 alone, nothing renegotiated. A certificate that is asked for opens the
door and does no more: who a caller is, identities say.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import SettingsError

ALPN = ["http/1.1"]


@dataclass(frozen=True, slots=True)
class ServerTls:
    """The files of one port, in PEM."""

    cert: Path
    """The whole chain, ours first."""
    key: Path | None = None
    """Not encrypted; None: in the same file."""
    client_ca: Path | None = None
    """Authorities of which a client has to show a certificate; None: none is asked for."""

    @property
    def files(self) -> list[Path]:
        return [file for file in (self.cert, self.key, self.client_ca) if file is not None]


def server_context(files: ServerTls, flags: str) -> ssl.SSLContext:
    """`flags` begins the names of the settings, for an error: `--tls` or `--admin-tls`.

    Raises `SettingsError` for files that cannot be used, together or alone.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(ALPN)
    try:
        # Without a password the terminal would be asked for one, and the process hang.
        context.load_cert_chain(files.cert, files.key, password=_no_password)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise SettingsError(
            f"{flags}-cert: {files.cert} and its key {files.key or files.cert} cannot be used: "
            f"{_words(error)}. Allowed: PEM files of a certificate, its chain, and its own key, "
            "not encrypted."
        ) from error
    if files.client_ca is not None:
        try:
            context.load_verify_locations(files.client_ca)
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"{flags}-client-ca: {files.client_ca} cannot be used: {_words(error)}. Allowed: a "
                "PEM file of certificates."
            ) from error
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _no_password() -> str:
    raise ValueError("the key is encrypted")


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "not PEM").lower().replace("_", " ")
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
