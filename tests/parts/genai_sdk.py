"""Google's SDK for the Gemini API, pointed at a loopback address.

It never retries unless it is told to; then by status alone, whatever `Retry-After` says.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from google import genai
from google.genai.client import AsyncClient
from google.genai.types import HttpOptions, HttpRetryOptions

TIMEOUT_MS = 20_000


def at_once(attempts: int) -> HttpRetryOptions:
    """Its own retries, without their sleeps. Attempts include the first."""
    return HttpRetryOptions(attempts=attempts, initial_delay=0.0, max_delay=0.0, jitter=0.0)


@asynccontextmanager
async def genai_sdk(url: str, key: str, **options: Any) -> AsyncIterator[AsyncClient]:
    """`options` are fields of the SDK's `HttpOptions`."""
    given = HttpOptions(**{"base_url": url, "timeout": TIMEOUT_MS, **options})
    client = genai.Client(api_key=key, http_options=given)
    async with client.aio as asynchronous:
        yield asynchronous
    client.close()
