"""Drives the Python SDKs for the matrix: a call is a line of JSON on standard input, and so is the
answer on standard output. A process of its own, so that no SDK's habits are the test's.

The node clients speak the same words. First line out: the clients, each with its version.
"""

import asyncio
import dataclasses
import importlib
import json
import os
import sys
from types import ModuleType
from typing import Any

from tests.sdk_matrix.python.asked import Asked, Cannot, Said
from tests.sdk_matrix.python.clients import CLIENTS, installed
from tests.sdk_matrix.python.pauses import pauses, watch


async def answered(line: dict[str, Any]) -> dict[str, Any]:
    """One call's outcome. Whatever an SDK raises is what the matrix is about."""
    number, skipped = line.pop("id"), line.pop("skip_pauses")
    asked, said = Asked(**line), Said()
    module = _module(asked.client)
    outcome: dict[str, Any] = {"id": number}
    with pauses(skipped=skipped) as made:
        try:
            await module.ask(asked, said)
        except Cannot as cannot:
            outcome["cannot"] = str(cannot)
        except Exception as error:  # noqa: BLE001  any error is an observation
            outcome["problem"] = dataclasses.asdict(module.problem(error))
    return outcome | {"said": dataclasses.asdict(said), "pauses": made.seconds}


def _module(client: str) -> ModuleType:
    return importlib.import_module(f"tests.sdk_matrix.python.{CLIENTS[client][0]}")


async def main() -> None:
    with os.fdopen(os.dup(1), "w") as out:
        os.dup2(2, 1)  # what SDKs print is no answer

        def tell(document: dict[str, Any]) -> None:
            out.write(json.dumps(document) + "\n")
            out.flush()

        versions = installed()
        for client in versions:
            _module(client)
        tell({"clients": versions})
        loop, calls = asyncio.get_running_loop(), set[asyncio.Task[None]]()
        reader = asyncio.StreamReader(limit=2**24)
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)

        async def call(line: bytes) -> None:
            tell(await answered(json.loads(line)))

        while line := await reader.readline():
            task = asyncio.create_task(call(line))
            calls.add(task)
            task.add_done_callback(calls.discard)
        await asyncio.gather(*calls)


if __name__ == "__main__":
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it asks the network at import
    watch()
    asyncio.run(main())
