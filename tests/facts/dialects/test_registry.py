"""Every dialect is registered, and no two routes of ours are one."""

from gateway.facts.dialects.registry import BUILT_IN, DIALECT_NAMES, DIALECTS
from gateway.facts.exchange import RouteName


def test_every_name_of_a_route_has_a_route() -> None:
    assert {route.name for dialect in DIALECTS for route in dialect.routes} == set(RouteName)


def test_declared_routes_can_be_spoken_in_every_dialect() -> None:
    assert set(DIALECT_NAMES) == {dialect.name for dialect in DIALECTS}


def test_within_a_dialect_no_route_is_there_twice() -> None:
    for name in DIALECT_NAMES:
        routes = [
            (route.method, route.path)
            for dialect in DIALECTS
            if dialect.name == name
            for route in dialect.routes
        ]
        assert len(set(routes)) == len(routes)


def test_every_route_is_found_where_it_says() -> None:
    for dialect in DIALECTS:
        for route in dialect.routes:
            path = route.path.replace("{model}", "m-1")
            found = BUILT_IN.find(route.method, path, [])
            assert (found.route.name, found.route.path) == (route.name, route.path)
            assert found.path_model == ("m-1" if "{model}" in route.path else None)
