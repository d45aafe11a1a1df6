import ipaddress
import random
from collections import Counter

from gateway.simulation.world import (
    Given,
    World,
    address_in,
    any_network,
    popular_client,
    rare_client,
)


def world(**without: float) -> World:
    return World(random.Random(1), 1_780_272_000.0, without)


def test_no_id_is_given_out_twice() -> None:
    made, draw = world(), random.Random(1)
    ids = [made.sender("benign/chat", Given(), draw).id for _ in range(2_000)]
    assert len(set(ids)) == 2_000


def test_what_is_given_is_kept() -> None:
    given = Given(
        dialect="chat", client="me/1", network="AS64500", address="198.18.0.1", payment="pm_1"
    )
    made = world().sender("benign/chat", given, random.Random(1))
    assert made.headers["user-agent"] == "me/1"
    assert made.attributes["network"] == "AS64500"
    assert (made.attributes["address"], made.attributes["payment"]) == ("198.18.0.1", "pm_1")


def test_addresses_are_nobodys() -> None:
    draw = random.Random(1)
    nobodys = [ipaddress.ip_network("198.18.0.0/15"), ipaddress.ip_network("2001:db8::/32")]
    for _ in range(500):
        address = ipaddress.ip_address(address_in(any_network(draw), draw))
        assert any(address in network for network in nobodys if network.version == address.version)


def test_a_few_networks_have_most_accounts() -> None:
    draw = random.Random(1)
    counts = Counter(any_network(draw) for _ in range(5_000)).most_common()
    assert sum(number for _, number in counts[:10]) > 2_000
    assert len(counts) > 80


def test_rare_and_popular_clients_differ() -> None:
    assert rare_client("chat") != popular_client("chat")
