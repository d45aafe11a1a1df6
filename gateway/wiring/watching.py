"""Who watches behaviour in this process: by itself, or together with the others on one store."""

import secrets
from contextlib import AsyncExitStack

from gateway.assessment import Assessment
from gateway.behaviour.watch import Watch
from gateway.facts.principal import Secret
from gateway.policy.behaviour import Behaviours
from gateway.shared_assessment import SharedAssessment
from gateway.store.memory import MemoryStore
from gateway.wiring.stores import AnyStore


async def open_assessment(
    parts: AsyncExitStack,
    behaviours: Behaviours,
    secret: Secret,
    store: AnyStore,
    *,
    reads_prompts: bool,
) -> Assessment:
    """At work while `parts` are open."""
    watch = Watch(behaviours, secret.prompt_key)
    if isinstance(store, MemoryStore):
        return Assessment(watch, reads_prompts=reads_prompts)
    together = SharedAssessment(
        watch, store.exchange(), secrets.token_hex(8), reads_prompts=reads_prompts
    )
    await parts.enter_async_context(together.at_work())
    return together
