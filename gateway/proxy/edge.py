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
    step_tokens: int = STEP_TOKENS
    """The least by which the reservation of a stream that outgrows it is extended."""
