"""The TLS files of operators: read at the start, and anew when they are renewed.

A pair that does not fit together is refused like a policy with a mistake: the one in force stays,
and the log, the status page and a metric say so.
"""

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from gateway.policy_directory import read_text
from gateway.proxy.selection import THE_ONE
from gateway.proxy.tls import ServerTls, server_context
from gateway.proxy.upstream.port import UpstreamSettings
from gateway.proxy.upstream.tls import ssl_context
from gateway.reload import Written
from gateway.settings import Settings
from gateway.wiring.clock import wall_clock_us

WrittenTls = Written[ssl.SSLContext]


def callers_tls(settings: Settings) -> WrittenTls | None:
    """None: the callers' port speaks plain HTTP. Raises `OperatorError`."""
    if settings.tls_cert is None:
        return None
    files = ServerTls(settings.tls_cert, settings.tls_key, settings.tls_client_ca)
    return _written("tls", files.files, lambda: server_context(files, "--tls"))


def admin_tls(settings: Settings) -> WrittenTls | None:
    """Likewise of the admin port."""
    if settings.admin_tls_cert is None:
        return None
    files = ServerTls(settings.admin_tls_cert, settings.admin_tls_key, settings.admin_tls_client_ca)
    return _written("admin_tls", files.files, lambda: server_context(files, "--admin-tls"))


def upstream_tls(selector: str, settings: UpstreamSettings) -> WrittenTls | None:
    """None where no file is named. Raises `OperatorError`."""
    named = (settings.ca_file, settings.client_cert_file, settings.client_key_file)
    files = [file for file in named if file is not None]
    if not files:
        return None
    what = f"upstream_tls_{selector}" if selector else "upstream_tls"
    return _written(what, files, lambda: ssl_context(settings))


def with_files(settings: Settings, selector: str, upstream: UpstreamSettings) -> UpstreamSettings:
    """With those that the operator gave for this upstream."""

    def file(written: Sequence[str]) -> Path | None:
        by_selector = dict(_parted(one) for one in written)
        return by_selector.get(selector)

    return replace(
        upstream,
        ca_file=file(settings.upstream_tls_ca),
        client_cert_file=file(settings.upstream_tls_cert),
        client_key_file=file(settings.upstream_tls_key),
    )


def _parted(written: str) -> tuple[str, Path]:
    selector, equals, path = written.partition("=")
    return (selector, Path(path).expanduser()) if equals else (THE_ONE, Path(written).expanduser())


def _written(what: str, files: Sequence[Path], make: Callable[[], ssl.SSLContext]) -> WrittenTls:
    def read(_: Path) -> dict[str, str]:
        return {file.as_posix(): read_text(file) for file in files}

    def parse(_: Mapping[str, str]) -> ssl.SSLContext:
        # OpenSSL reads files, no texts. One that changes meanwhile is read again for its change.
        return make()

    return Written(what, files[0], read=read, parse=parse, clock=wall_clock_us)
