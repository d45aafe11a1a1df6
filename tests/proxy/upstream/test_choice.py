"""Each exchange goes to the upstream that was selected, and to no other."""

import pytest

from gateway.proxy.asgi import Message, Receive, Scope, Send
from gateway.proxy.selection import EXTENSION
from gateway.proxy.upstream.choice import UpstreamChoice


class Named:
    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.closed = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive, send
        self.scopes.append(scope)

    async def aclose(self) -> None:
        self.closed = True


async def receive() -> Message:
    return {"type": "http.request"}


async def send(message: Message) -> None:
    del message


async def test_the_scope_names_the_upstream() -> None:
    one, other = Named(), Named()
    choice = UpstreamChoice({"": one, "anthropic": other})
    scopes = [{"type": "http", "extensions": {EXTENSION: name}} for name in ("anthropic", "", "")]
    for scope in scopes:
        await choice(scope, receive, send)
    assert other.scopes == scopes[:1]
    assert one.scopes == scopes[1:]


async def test_a_name_that_nobody_has_goes_nowhere() -> None:
    one = Named()
    with pytest.raises(KeyError):
        await UpstreamChoice({"": one})({"extensions": {EXTENSION: "x"}}, receive, send)
    assert one.scopes == []


async def test_closing_closes_all() -> None:
    one, other = Named(), Named()
    await UpstreamChoice({"": one, "x": other}).aclose()
    assert one.closed
    assert other.closed
