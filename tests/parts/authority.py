"""A certificate authority of a test's own, and the PEM files that operators would have of it."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class Authority:
    directory: Path
    ca: trustme.CA = field(default_factory=trustme.CA)

    @property
    def ca_file(self) -> Path:
        path = self.directory / "ca.pem"
        self.ca.cert_pem.write_to_path(str(path))
        return path

    def pair(self, name: str, *identities: str) -> tuple[Path, Path]:
        """Writes `name.cert.pem` and `name.key.pem` anew."""
        issued = self.ca.issue_cert(*(identities or ("127.0.0.1",)))
        cert, key = self.directory / f"{name}.cert.pem", self.directory / f"{name}.key.pem"
        cert.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
        key.write_bytes(issued.private_key_pem.bytes())
        return cert, key

    def client(self, pair: tuple[Path, Path] | None = None) -> ssl.SSLContext:
        """Believes this authority alone, and shows a certificate if there is one."""
        context = ssl.create_default_context(cafile=self.ca_file)
        if pair:
            context.load_cert_chain(pair[0], pair[1])
        return context


def serial(stream: ssl.SSLSocket | ssl.SSLObject) -> str:
    """Of the certificate that the peer has shown."""
    shown = stream.getpeercert()
    assert shown
    return str(shown["serialNumber"])
