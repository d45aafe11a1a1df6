"""A model API that answers everything and knows, request by request, what it was sent."""

import re
from dataclasses import dataclass, field

from tests.parts.raw_server import Peer
from tests.proxy.stage import ANSWER

OK = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(ANSWER)
) + ANSWER


@dataclass
class Recorder:
    """`script` is for `raw_server`."""

    requests: list[bytes] = field(default_factory=list)

    async def script(self, peer: Peer) -> None:
        while True:
            self.requests.append(await peer.request())
            await peer.say(OK)

    @property
    def bodies(self) -> list[bytes]:
        return [request.partition(b"\r\n\r\n")[2] for request in self.requests]

    @property
    def targets(self) -> list[bytes]:
        return [request.split(b" ")[1] for request in self.requests]


def statuses(heard: bytes) -> list[int]:
    """Of all the answers on a connection, in their order."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", heard)]
