"""How much the edge takes from anybody."""

from dataclasses import dataclass

from gateway.decision.extension import STEP_TOKENS

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class EdgeLimits:
    body_bytes: int = 32 * MIB
    """Of one request. OpenAI and Anthropic take 32 MB and less."""
    inspected_bytes: int = 8 * MIB
    """Of one plain answer that are kept to read its usage; a longer answer passes unread and keeps
    its reservation."""
    exchanges: int = 2_000
    """At once. A stream that nobody reads holds up to 1 MiB, so these hold 2 GiB at the worst."""
    retry_jitter_us: int = 0
    """Whom this turns away is told to come back up to so much later."""
    step_tokens: int = STEP_TOKENS
    """The least by which the reservation of a stream that outgrows it is extended."""
