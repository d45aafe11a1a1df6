"""The address of a store, and what is told of a wrong one."""

import pytest

from gateway.errors import SettingsError
from gateway.store.redis import RedisStore


@pytest.mark.parametrize(
    "address",
    [
        "redis://:s3cret/with/slash@127.0.0.1:6379",
        "redis://:s3cret@127.0.0.1:notaport",
        "http://:s3cret@127.0.0.1:6379",
        "s3cret",
    ],
)
def test_an_address_that_cannot_be_read_is_a_settings_error_without_the_password(
    address: str,
) -> None:
    with pytest.raises(SettingsError, match="redis://") as caught:
        RedisStore(address)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
