import pytest

from gateway.identity.spelling import RESERVED_HEADERS, header_name, network


def test_a_header_is_compared_in_lower_case() -> None:
    assert header_name("X-Account-Id") == "x-account-id"


@pytest.mark.parametrize("name", sorted(RESERVED_HEADERS))
def test_a_header_with_a_meaning_of_its_own_cannot_name_an_account(name: str) -> None:
    with pytest.raises(ValueError, match="meaning of its own"):
        header_name(name.title())


@pytest.mark.parametrize("text", ["10.0.0.0/7", "::/1", "0.0.0.0/0"])
def test_everybody_is_no_list_of_proxies(text: str) -> None:
    with pytest.raises(ValueError, match="everybody"):
        network(text)
