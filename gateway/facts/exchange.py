"""One request to a model, as values: what is asked, and where it goes.

Nothing here holds the text of a prompt; it is read once by the dialect and dropped.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.values import made_often


class RouteName(StrEnum):
    """The routes that gauger knows by itself; a policy names them (`request.route`)."""

    CHAT = "chat"
    COMPLETIONS = "completions"
    RESPONSES = "responses"
    EMBEDDINGS = "embeddings"
    MESSAGES = "messages"
    GENERATE = "generate"
    """Gemini's `generateContent` and `streamGenerateContent`."""
    COUNT_TOKENS = "count_tokens"
    MODELS = "models"
    """The list of models, and one of them."""


@dataclass(frozen=True, slots=True)
class Route:
    """A method and path that gauger forwards."""

    name: str
    """A `RouteName`, or what an operator calls a route of his own."""
    method: str
    path: str
    """In braces stands what varies: `{model}`, or any other word; each is one whole word of a
    segment (see `facts.dialects.route_pattern`)."""
    generates: bool
    """A model works: tokens are reserved and settled. Otherwise only requests count."""
    query: tuple[str, ...] | None = None
    """What may stand in the query: `name=value`, or a name alone for any value; None: anything."""
    demanded_query: str | None = None
    """What must stand there, since the answer could not be metered in another form."""
    opaque_body: bool = False
    """The body may be anything (multipart): it passes bounded and unread. Otherwise it is JSON."""


@made_often
@dataclass(frozen=True, slots=True)
class Ask:
    """What the caller wants from the model, as its dialect says it."""

    model: str | None
    """None where the route names no model (listing models)."""
    stream: bool = False
    input_tokens: int = 0
    """Estimated from the bytes of what is sent."""
    max_output_tokens: int | None = None
    """The declared ceiling of one choice; None if none was declared."""
    choices: int = 1
    """How many answers are asked for (`n`); each may reach the ceiling."""
    end_user: str | None = None
    """A hint by the caller (`user`, `metadata.user_id`): it can partition, never identify."""
    session: str | None = None
    """Such a hint, too: what an agent's loop or a conversation calls itself."""
    wants_usage_chunk: bool = False
    """The caller itself asked for the stream's closing usage chunk."""
    temperature: float | None = None
    logprobs: bool = False
    """Log probabilities of tokens are asked for."""
    reasoning: bool = False
    """Visible or summarised reasoning is asked for, or an effort of it is set."""
    tools: int = 0
    """How many tools the model may call."""
    images: int = 0
    turns: int = 0
    """Messages of the user in the conversation so far."""
    tool_results: int = 0
    """Results of tool calls among the messages."""


def in_session(ask: Ask, session: str | None) -> Ask:
    """What a header names goes before what the body names."""
    return ask if session is None else replace(ask, session=session)
