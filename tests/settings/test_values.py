from pathlib import Path

import pytest

from gateway.settings import Address, Settings

SETTINGS = Settings(
    policies=Path("policies"),
    upstream="https://api.example.com",
    store="redis://user:store-password@redis:6379/0",
    upstream_key="sk-upstream-key",
    secret=b"deployment-secret",
)


@pytest.mark.parametrize("secret", ["store-password", "sk-upstream-key", "deployment-secret"])
def test_the_repr_shows_no_secret(secret: str) -> None:
    assert secret not in repr(SETTINGS)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_is_only_this_machine(host: str) -> None:
    assert Address(host, 1).is_loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.com", "localhost.evil"])  # noqa: S104  # the point of the test
def test_everything_else_may_be_reached_from_elsewhere(host: str) -> None:
    assert not Address(host, 1).is_loopback


def test_an_ipv6_address_is_written_in_brackets() -> None:
    assert str(Address("::1", 8080)) == "[::1]:8080"
    assert str(Address("127.0.0.1", 8080)) == "127.0.0.1:8080"
