"""How each setting is written: its name, and how its text is read.

A name is the key in a settings file; `--name` and `GAUGER_NAME` follow from it. The errors say what
is allowed and repeat nothing that may be secret.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from gateway.errors import SettingsError
from gateway.settings.values import Address, Settings

STORE_SCHEMES = ("memory", "redis", "rediss", "unix")
MAX_PORT = 65_535
MOST_REPLICAS = 10_000
MOST_EXCHANGES = 1_000_000
MOST_STEP_TOKENS = 1_000_000
MOST_GUESSES = 10_000

_SECONDS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_BYTES = {
    "": 1,
    "b": 1,
    "kb": 1000,
    "mb": 1000**2,
    "gb": 1000**3,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
}
_AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?) *([A-Za-z]*)")
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    reader: Callable[[str], object]
    field: str
    """Of `Settings`, where the unit is part of the name."""

    def read(self, text: str) -> object:
        """Raises `SettingsError`."""
        written = text.strip()
        if not written:
            raise SettingsError("nothing is written here.")
        return self.reader(written)

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        return "GAUGER_" + self.name.upper()

    @property
    def default(self) -> object:
        return Settings.__dataclass_fields__[self.field].default


def _existing_path(text: str) -> Path:
    path = Path(text).expanduser()
    if not path.exists():
        raise SettingsError(f"{text} does not exist. Give the path of a file or directory.")
    return path


def _existing_file(text: str) -> Path:
    path = _existing_path(text)
    if not path.is_file():
        raise SettingsError(f"{text} is not a file.")
    return path


def _upstream(text: str) -> str:
    example = "Write http://HOST:PORT or https://HOST, such as https://api.openai.com."
    parts = _split(text)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(f"not an http or https address. {example}")
    if parts.username is not None or parts.password is not None:
        raise SettingsError(
            "a user or password does not belong in the address, which is logged. "
            "Put the key into a variable and name that with --upstream-key-env."
        )
    if parts.query or parts.fragment:
        raise SettingsError(f"nothing may follow the path. {example}")
    path = parts.path.rstrip("/")
    if path.endswith("/v1"):
        raise SettingsError(
            f"leave out /v1: gauger forwards whole paths such as /v1/messages. Write "
            f"{parts.scheme}://{parts.netloc}{path.removesuffix('/v1')}."
        )
    return f"{parts.scheme}://{parts.netloc}{path}"


def _upstreams(text: str) -> tuple[str, ...]:
    """Several, separated by white space; `SELECTOR=URL` is for a part of the requests."""
    return tuple(_selected(part, _upstream) for part in text.split())


def _environment_names(text: str) -> tuple[str, ...]:
    return tuple(_selected(part, _environment_name) for part in text.split()) or (
        _environment_name(text),
    )


def _selected(text: str, read: Callable[[str], str]) -> str:
    """What stands before the first `=` says for which requests; a URL has none before its `:`."""
    selector, equals, rest = text.partition("=")
    if not equals or ":/" in selector:
        return read(text)
    return f"{selector}={read(rest)}"


def _store(text: str) -> str:
    parts = _split(text)
    if parts is None or parts.scheme not in STORE_SCHEMES or "://" not in text:
        raise SettingsError(
            "not a store. Allowed: memory://, redis://HOST:6379/0, rediss://HOST:6379/0 (TLS), "
            "unix:///path/to/redis.sock."
        )
    if parts.scheme == "memory" and text != "memory://":
        raise SettingsError("the memory store takes nothing after memory://.")
    return text


def _split(text: str) -> SplitResult | None:
    """None where a part is not even a URL's: brackets that do not close, a port of 99999."""
    if re.search(r"[\s\x00-\x1f\x7f]", text):
        return None
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018  # its reading is its check
    except ValueError:
        return None
    return parts


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    in_brackets = text.startswith("[") and "]:" in text
    if not host or (":" in host and not in_brackets) or not (port.isascii() and port.isdigit()):
        raise SettingsError(
            f"{text!r} is not an address. Write HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080; "
            "port 0 takes a free one."
        )
    if int(port) > MAX_PORT:
        raise SettingsError(f"{port} is not a port. Allowed: 0 to {MAX_PORT}.")
    return Address(host, int(port))


def _address_or_off(text: str) -> Address | None:
    return None if text.lower() in ("off", "none") else _address(text)


def _files(text: str) -> tuple[str, ...]:
    """Several, separated by white space; `SELECTOR=FILE` is for the upstream so selected."""
    return tuple(_selected(part, lambda path: str(_existing_file(path))) for part in text.split())


def _new_file(text: str) -> Path:
    path = Path(text).expanduser()
    if path.is_dir() or not path.parent.is_dir():
        raise SettingsError(f"{text} cannot be a file. Give the path of one in a directory there.")
    return path


def _environment_name(text: str) -> str:
    if not _VARIABLE_NAME.fullmatch(text):
        raise SettingsError(
            "this is not the name of an environment variable. Put the key into a variable, such "
            "as OPENAI_API_KEY, and give its name here, never the key."
        )
    return text


def _seconds(text: str) -> float:
    seconds = _amount(text, _SECONDS)
    if seconds is None or not 0 < seconds <= 86_400:  # noqa: PLR2004  # nobody waits a day
        raise SettingsError(
            f"{text!r} is not a time. Write a number with ms, s, m or h, such as 500ms or 10s; "
            "more than 0, at most 24h."
        )
    return seconds


def _grace(text: str) -> float:
    return 0.0 if _amount(text, _SECONDS) == 0 else _seconds(text)


def _period(text: str) -> float | None:
    return None if text.lower() in ("off", "none") else _seconds(text)


def _byte_count(text: str) -> int:
    count = _amount(text, _BYTES)
    if count is None or not 1 <= count <= 2**40:
        raise SettingsError(
            f"{text!r} is not a size. Write a number with KiB, MiB, GiB, kB, MB or GB, or plain "
            "bytes, such as 32MiB; at least 1."
        )
    return math.floor(count)


def _step(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_STEP_TOKENS):
        raise SettingsError(f"{text!r} is no number of tokens. Allowed: 1 to {MOST_STEP_TOKENS}.")
    return int(text)


def _guesses(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_GUESSES):
        raise SettingsError(f"{text!r} is no number of guesses. Allowed: 1 to {MOST_GUESSES}.")
    return int(text)


def _exchanges(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_EXCHANGES):
        raise SettingsError(f"{text!r} is no number of exchanges. Allowed: 1 to {MOST_EXCHANGES}.")
    return int(text)


def _jitter(text: str) -> float:
    seconds = _amount(text, _SECONDS)
    if seconds is None or seconds > 1:
        raise SettingsError(
            f"{text!r} is no jitter. Write 0, or a time up to 1s, such as 500ms: a longer one "
            "would waste what is free again."
        )
    return seconds


def _replicas(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_REPLICAS):
        raise SettingsError(
            f"{text!r} is no number of replicas. Allowed: 1 to {MOST_REPLICAS}, all gaugers that "
            "share the store."
        )
    return int(text)


def _amount(text: str, scale: dict[str, float] | dict[str, int]) -> float | None:
    match = _AMOUNT.fullmatch(text)
    factor = scale.get(match[2].lower()) if match else None
    return None if match is None or factor is None else float(match[1]) * factor


def _truth(text: str) -> bool:
    if text.lower() not in _TRUE + _FALSE:
        raise SettingsError(f"{text!r} is neither yes nor no. Allowed: true, false.")
    return text.lower() in _TRUE


def _setting(name: str, read: Callable[[str], object], unit: str = "") -> Setting:
    return Setting(name, read, name + unit)


SECRET_FILE = Setting("secret_file", _existing_file, "secret")
ADMIN_TOKEN_FILE = Setting("admin_token_file", _existing_file, "admin_token")

SETTINGS = {
    setting.name: setting
    for setting in (
        _setting("policies", _existing_path),
        _setting("upstream", _upstreams),
        _setting("store", _store),
        _setting("store_timeout", _seconds, "_s"),
        _setting("replicas", _replicas),
        _setting("listen", _address),
        _setting("admin", _address_or_off),
        ADMIN_TOKEN_FILE,
        _setting("admin_plain_http", _truth),
        _setting("admin_tls_cert", _existing_file),
        _setting("admin_tls_key", _existing_file),
        _setting("admin_tls_client_ca", _existing_file),
        _setting("audit_log", _new_file),
        _setting("probes", _address_or_off),
        _setting("probes_metrics", _truth),
        _setting("tls_cert", _existing_file),
        _setting("tls_key", _existing_file),
        _setting("tls_client_ca", _existing_file),
        _setting("accounts", _existing_file),
        _setting("identities", _existing_file),
        _setting("upstream_key_env", _environment_names),
        _setting("upstream_tls_ca", _files),
        _setting("upstream_tls_cert", _files),
        _setting("upstream_tls_key", _files),
        SECRET_FILE,
        _setting("guesses_per_minute", _guesses),
        _setting("connect_timeout", _seconds, "_s"),
        _setting("first_byte_timeout", _seconds, "_s"),
        _setting("idle_timeout", _seconds, "_s"),
        _setting("body_limit", _byte_count, "_bytes"),
        _setting("stream_step", _step, "_tokens"),
        _setting("max_exchanges", _exchanges),
        _setting("retry_jitter", _jitter, "_s"),
        _setting("shutdown_grace", _grace, "_s"),
        _setting("reload_every", _period, "_s"),
        _setting("record", _new_file),
        _setting("record_size", _byte_count, "_bytes"),
        _setting("record_gzip", _truth),
        _setting("record_prompts", _truth),
        _setting("trust_traceparent", _truth),
        _setting("log_allowed", _truth),
    )
}


PATHS = (
    "policies",
    "accounts",
    "identities",
    "secret_file",
    "admin_token_file",
    "audit_log",
    "record",
    *("tls_cert", "tls_key", "tls_client_ca"),
    *("admin_tls_cert", "admin_tls_key", "admin_tls_client_ca"),
    *("upstream_tls_ca", "upstream_tls_cert", "upstream_tls_key"),
)
"""In a settings file these are relative to the file."""


LISTS = (
    "upstream",
    "upstream_key_env",
    "upstream_tls_ca",
    "upstream_tls_cert",
    "upstream_tls_key",
)
"""In a settings file these may be lists."""


def default_text(name: str) -> str:
    """The default as one would write it; empty if there is none."""
    setting = SETTINGS[name]
    value = setting.default
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}s"
        case int() if setting.field.endswith("_bytes"):
            return f"{value // 2**20}MiB"
        case int():
            return str(value)
        case str() | Address():
            return str(value)
        case _:
            return ""
