"""The table of tests/wire/rows.py against our server and against those that others bring.

`python -m tests.benchmarks.edge_servers [--rows] [--json]`

The same app behind each, a recording model API behind the app. A row that is to be refused counts
as kept if it is refused in any way and nothing reaches the model API, neither it nor what hides
behind it; a row that is to pass, if just that arrives. `--rows` names those that were not.
"""

import argparse
import asyncio
import contextlib
import json
import sys
from dataclasses import asdict, dataclass, field

from tests.benchmarks.figures import table
from tests.parts.asgi_servers import SERVERS, asgi_server
from tests.parts.raw_server import raw_server
from tests.wire.recording import Recorder, statuses
from tests.wire.rows import BODY, ROWS, Row, Then
from tests.wire.test_rows import BEHIND

WAIT_S = 1.0
"""A server that has said nothing for so long waits for more."""


@dataclass
class Tally:
    server: str
    kept: int = 0
    waits: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


async def heard_from(port: int, data: bytes) -> bytes:
    """Until it closes, or says no more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    heard = b""
    with contextlib.suppress(ConnectionError, TimeoutError):
        writer.write(data)
        while piece := await asyncio.wait_for(reader.read(65_536), WAIT_S):
            heard += piece
            if statuses(heard)[1:]:
                break
    writer.close()
    return heard


def kept(row: Row, said: list[int], model: Recorder) -> bool:
    if row.then is Then.PASSES:
        method, target, _ = row.raw.lstrip().split(b" ", 2)
        body = BODY if method == b"POST" else b""
        return model.targets[:1] == [target] and model.bodies[:1] == [body]
    if row.then is Then.CLOSES:
        return model.requests == [] and (row.status == 200 or 200 not in said)
    return said[:1] == [row.status]


async def tally(server: str) -> Tally:
    result, model = Tally(server), Recorder()
    async with raw_server(model.script) as api, asgi_server(server, api.url) as (port, _):
        for row in ROWS:
            model.requests.clear()
            said = statuses(await heard_from(port, row.raw + BEHIND))
            if not said and not model.requests and row.then is not Then.CLOSES:
                result.waits.append(str(row))
            elif kept(row, said, model):
                result.kept += 1
            else:
                result.broken.append(str(row))
    return result


async def measure() -> list[Tally]:
    return [await tally(server) for server in SERVERS]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", action="store_true")
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    tallies = asyncio.run(measure())
    if given.json:
        sys.stdout.write(json.dumps([asdict(tally) for tally in tallies]) + "\n")
        return
    rows = [
        (t.server, f"{t.kept} of {len(ROWS)}", str(len(t.broken)), str(len(t.waits)))
        for t in tallies
    ]
    sys.stdout.write(table(("server", "rows kept", "broken", "unanswered"), rows) + "\n")
    if given.rows:
        for t in tallies:
            for row in (*t.broken, *t.waits):
                sys.stdout.write(f"{t.server}: {row}\n")


if __name__ == "__main__":
    main()
