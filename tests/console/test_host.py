import pytest

from gateway.console.host import names_this_machine

OURS = (
    "localhost",
    "LocalHost:9090",
    "localhost.",
    "127.0.0.1",
    "127.0.0.1:9090",
    "127.9.8.7:1",
    "[::1]",
    "[::1]:9090",
    "[0:0:0:0:0:0:0:1]:80",
)
OTHERS = (
    "",
    "evil.example",
    "evil.example:9090",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "10.0.0.1",
    "[::]",
    "[2001:db8::1]:1",
    "::1",
    "user@localhost",
    "localhost/x",
    "127.0.0.1, evil.example",
    "127.1",
    "[localhost]",
)


@pytest.mark.parametrize("host", OURS)
def test_loopback_is_this_machine_by_any_of_its_names(host: str) -> None:
    assert names_this_machine(host)


@pytest.mark.parametrize("host", OTHERS)
def test_any_other_name_is_not(host: str) -> None:
    assert not names_this_machine(host)
