import pytest

from gateway.errors import SettingsError
from gateway.settings import Address, Settings
from gateway.settings.written import SETTINGS, default_text


def read(name: str, text: str) -> object:
    return SETTINGS[name].read(text)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("upstream", "https://api.openai.com", ("https://api.openai.com",)),
        ("upstream", "http://127.0.0.1:8000/", ("http://127.0.0.1:8000",)),
        ("upstream", "https://host/prefix/", ("https://host/prefix",)),
        ("store", "memory://", "memory://"),
        ("store", "rediss://:pw@host:6380/1", "rediss://:pw@host:6380/1"),
        ("listen", "0.0.0.0:8080", Address("0.0.0.0", 8080)),  # noqa: S104
        ("listen", "[::1]:0", Address("::1", 0)),
        ("listen", "gateway.internal:80", Address("gateway.internal", 80)),
        ("admin", "off", None),
        ("admin", "localhost:9090", Address("localhost", 9090)),
        ("admin", "10.1.2.3:9090", Address("10.1.2.3", 9090)),
        ("probes", "off", None),
        ("probes", "0.0.0.0:9091", Address("0.0.0.0", 9091)),  # noqa: S104
        ("guesses_per_minute", "60", 60),
        ("upstream_key_env", "OPENAI_API_KEY", ("OPENAI_API_KEY",)),
        (
            "upstream",
            "https://a.com anthropic=https://b.com/ x-*=http://c",
            ("https://a.com", "anthropic=https://b.com", "x-*=http://c"),
        ),
        ("upstream_key_env", "A anthropic=B", ("A", "anthropic=B")),
        ("connect_timeout", "500ms", 0.5),
        ("connect_timeout", "2.5", 2.5),
        ("idle_timeout", "2m", 120.0),
        ("idle_timeout", "24h", 86_400.0),
        ("shutdown_grace", "0", 0.0),
        ("body_limit", "32MiB", 32 * 2**20),
        ("body_limit", "1.5 MB", 1_500_000),
        ("body_limit", "1048576", 2**20),
        ("stream_step", "512", 512),
        ("max_exchanges", "1", 1),
        ("retry_jitter", "0", 0.0),
        ("retry_jitter", "500ms", 0.5),
        ("retry_jitter", "1s", 1.0),
        ("trust_traceparent", "Yes", True),
        ("log_allowed", "off", False),
    ],
)
def test_what_may_be_written(name: str, text: str, value: object) -> None:
    assert read(name, text) == value


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("upstream", "api.openai.com", "not an http or https address"),
        ("upstream", "ftp://host", "not an http or https address"),
        ("upstream", "https://", "not an http or https address"),
        ("upstream", "http://host:99999", "not an http or https address"),
        ("upstream", "http://[::1", "not an http or https address"),
        ("upstream", "http://host\r\nx: y", "not an http or https address"),
        ("upstream", "https://api.openai.com/v1", "Write https://api.openai.com."),
        ("upstream", "https://host?key=1", "nothing may follow the path"),
        ("store", "redis", "Allowed: memory://, redis://"),
        ("store", "mysql://host", "Allowed: memory://, redis://"),
        ("store", "memory://host", "takes nothing after"),
        ("listen", "8080", "HOST:PORT"),
        ("listen", ":8080", "HOST:PORT"),
        ("listen", "::1:8080", "[::1]:8080"),
        ("listen", "host:http", "HOST:PORT"),
        ("listen", "host:65536", "Allowed: 0 to 65535"),
        ("listen", "host:\N{ARABIC-INDIC DIGIT ONE}", "HOST:PORT"),
        ("audit_log", "no/such/directory/audit", "cannot be a file"),
        ("audit_log", ".", "cannot be a file"),
        ("guesses_per_minute", "0", "1 to 10000"),
        ("upstream_tls_ca", "anthropic=no/such/file", "does not exist"),
        ("connect_timeout", "0", "more than 0"),
        ("connect_timeout", "-1s", "500ms"),
        ("connect_timeout", "25h", "at most 24h"),
        ("connect_timeout", "nan", "500ms"),
        ("connect_timeout", "3 fortnights", "500ms"),
        ("shutdown_grace", "soon", "500ms"),
        ("body_limit", "0", "at least 1"),
        ("body_limit", "32 megs", "32MiB"),
        ("stream_step", "0", "1 to 1000000"),
        ("stream_step", "2k", "1 to 1000000"),
        ("max_exchanges", "0", "1 to 1000000"),
        ("max_exchanges", "many", "1 to 1000000"),
        ("retry_jitter", "2s", "up to 1s"),
        ("retry_jitter", "-1s", "up to 1s"),
        ("log_allowed", "maybe", "true, false"),
        ("policies", "no/such/directory", "does not exist"),
        ("policies", " ", "nothing is written"),
        ("accounts", ".", "is not a file"),
    ],
)
def test_what_may_not_be_written_says_what_may(name: str, text: str, said: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read(name, text)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("name", "text", "secret"),
    [
        ("upstream", "https://user:hunter2@api.openai.com", "hunter2"),
        ("store", "redis//:hunter2@redis", "hunter2"),
        ("upstream_key_env", "sk-proj-hunter2", "hunter2"),
    ],
)
def test_an_error_repeats_no_secret(name: str, text: str, secret: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read(name, text)
    assert secret not in str(raised.value)


def test_every_field_of_the_settings_can_be_set() -> None:
    derived = {
        "upstream_key",
        "secret_is_random",
        "selected_upstreams",
        "selected_upstream_keys",
    }
    fields = set(Settings.__dataclass_fields__) - derived
    assert {setting.field for setting in SETTINGS.values()} == fields


@pytest.mark.parametrize("name", [name for name in SETTINGS if default_text(name)])
def test_a_default_as_it_is_shown_means_the_default(name: str) -> None:
    assert read(name, default_text(name)) == SETTINGS[name].default


def test_flag_and_variable_follow_from_the_name() -> None:
    assert SETTINGS["first_byte_timeout"].flag == "--first-byte-timeout"
    assert SETTINGS["first_byte_timeout"].variable == "GAUGER_FIRST_BYTE_TIMEOUT"
