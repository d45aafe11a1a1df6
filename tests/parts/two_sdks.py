"""The two SDKs that most callers use, pointed at a loopback address.

Retries are off unless they are the subject: an SDK that retries hides what it was answered.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anthropic
import openai

TIMEOUT_S = 20.0
"""Longer than anything on loopback, shorter than a test's own deadline."""


@asynccontextmanager
async def openai_sdk(
    url: str, key: str, *, max_retries: int = 0, timeout_s: float = TIMEOUT_S
) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=f"{url}/v1", api_key=key, max_retries=max_retries, timeout=timeout_s
    ) as client:
        yield client


@asynccontextmanager
async def anthropic_sdk(
    url: str, key: str, *, max_retries: int = 0, timeout_s: float = TIMEOUT_S
) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(
        base_url=url, api_key=key, max_retries=max_retries, timeout=timeout_s
    ) as client:
        yield client
