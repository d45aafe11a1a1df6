"""The dialects that gauger speaks, and the routes that it knows by itself."""

from collections.abc import Iterable, Mapping

from gateway.facts.dialects.anthropic import MESSAGES, Anthropic
from gateway.facts.dialects.declared import Declared, DeclaredRoute
from gateway.facts.dialects.gemini import V1BETA, Gemini
from gateway.facts.dialects.openai_chat import OpenAIChat
from gateway.facts.dialects.openai_completions import OpenAICompletions
from gateway.facts.dialects.openai_embeddings import OpenAIEmbeddings
from gateway.facts.dialects.openai_models import OpenAIModels
from gateway.facts.dialects.openai_responses import RESPONSES, OpenAIResponses
from gateway.facts.dialects.openai_usage import OpenAIUsage
from gateway.facts.dialects.port import Dialect
from gateway.facts.dialects.route_table import RouteTable
from gateway.facts.exchange import Route

OPENAI_CHAT: Dialect = OpenAIChat()
OPENAI_COMPLETIONS: Dialect = OpenAICompletions()
OPENAI_RESPONSES: Dialect = OpenAIResponses()
OPENAI_EMBEDDINGS: Dialect = OpenAIEmbeddings()
OPENAI_MODELS: Dialect = OpenAIModels()
ANTHROPIC: Dialect = Anthropic()
GEMINI: Dialect = Gemini()

DIALECTS: tuple[Dialect, ...] = (
    OPENAI_CHAT,
    OPENAI_COMPLETIONS,
    OPENAI_RESPONSES,
    OPENAI_EMBEDDINGS,
    OPENAI_MODELS,
    ANTHROPIC,
    GEMINI,
)
"""Of several under one name the first words the errors of paths that are nobody's."""

BUILT_IN = RouteTable(DIALECTS)

_READERS: Mapping[str, tuple[Dialect, Route]] = {
    "openai": (OpenAIUsage(), RESPONSES),
    "anthropic": (ANTHROPIC, MESSAGES),
    "gemini": (GEMINI, V1BETA[0]),
}
"""By whom, and as on which route, the answers of declared routes are read."""

DIALECT_NAMES = tuple(_READERS)


def route_table(declared: Iterable[DeclaredRoute]) -> RouteTable:
    """What gauger serves by itself, and what an operator declares besides."""
    return RouteTable(
        DIALECTS, [Declared(each.route, *_READERS[each.dialect]) for each in declared]
    )
