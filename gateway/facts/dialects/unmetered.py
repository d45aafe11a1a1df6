"""Endpoints of the model APIs that gauger knows and does not forward, since it cannot meter them.

A batch, a session or a file consumes what no answer reports. So their paths are refused by name,
until an operator declares a route and says how it is to be counted. The list is closed: any other
path is simply unknown. Taken from the resources of the openai (3.57), anthropic (2.13) and
google-genai (3.6) packages.
"""

from collections.abc import Mapping
from dataclasses import dataclass

_OPENAI = ("openai",)
_ANTHROPIC = ("anthropic",)
_GEMINI = ("gemini",)
_BOTH = ("openai", "anthropic")


@dataclass(frozen=True, slots=True)
class Unmetered:
    """One family of paths."""

    prefix: str
    what: str
    dialects: tuple[str, ...] = _OPENAI
    """Whose it is; where several have the path, the headers tell."""

    @property
    def message(self) -> str:
        """For the caller. It repeats the prefix from the list, nothing of the path that came."""
        return (
            f"{self.what} ({self.prefix}) are not metered here, so they are not forwarded until "
            "the operator of this gateway declares the route."
        )


_KNOWN = (
    Unmetered("/v1/agents", "Agents", _BOTH),
    Unmetered("/v1/assistants", "Assistants"),
    Unmetered("/v1/audio", "Audio endpoints"),
    Unmetered("/v1/batches", "Batches"),
    Unmetered("/v1/chat/completions", "Stored completions"),
    Unmetered("/v1/chatkit", "ChatKit sessions"),
    Unmetered("/v1/complete", "Text completions of the old kind", _ANTHROPIC),
    Unmetered("/v1/containers", "Containers"),
    Unmetered("/v1/content_provenance_checks", "Checks of provenance"),
    Unmetered("/v1/conversations", "Conversations"),
    Unmetered("/v1/decisions", "Decisions"),
    Unmetered("/v1/deployments", "Deployments", _ANTHROPIC),
    Unmetered("/v1/edits", "Edits"),
    Unmetered("/v1/environments", "Environments", _ANTHROPIC),
    Unmetered("/v1/evals", "Evaluations"),
    Unmetered("/v1/files", "Files", _BOTH),
    Unmetered("/v1/fine_tuning", "Fine-tuning jobs"),
    Unmetered("/v1/images", "Image endpoints"),
    Unmetered("/v1/live", "Live sessions"),
    Unmetered("/v1/memory_stores", "Memory stores", _ANTHROPIC),
    Unmetered("/v1/messages/batches", "Message batches", _ANTHROPIC),
    Unmetered("/v1/messages", "Further endpoints of messages", _ANTHROPIC),
    Unmetered("/v1/moderations", "Moderations"),
    Unmetered("/v1/organization", "Administrative endpoints"),
    Unmetered("/v1/organizations", "Administrative endpoints", _ANTHROPIC),
    Unmetered("/v1/projects", "Administrative endpoints"),
    Unmetered("/v1/realtime", "Realtime sessions"),
    Unmetered("/v1/responses", "Stored responses, and what is done with them,"),
    Unmetered("/v1/safety", "Safety endpoints"),
    Unmetered("/v1/sessions", "Sessions", _ANTHROPIC),
    Unmetered("/v1/skills", "Skills", _BOTH),
    Unmetered("/v1/threads", "Threads and runs"),
    Unmetered("/v1/uploads", "Uploads"),
    Unmetered("/v1/vaults", "Vaults", _BOTH),
    Unmetered("/v1/vector_stores", "Vector stores"),
    Unmetered("/v1/videos", "Video endpoints"),
    Unmetered("/v1beta/auth_tokens", "Tokens for live sessions", _GEMINI),
    Unmetered("/v1beta/batches", "Batches", _GEMINI),
    Unmetered("/v1beta/cachedContents", "Cached contents", _GEMINI),
    Unmetered("/v1beta/fileSearchStores", "File search stores", _GEMINI),
    Unmetered("/v1beta/files", "Files", _GEMINI),
    Unmetered("/v1beta/tunedModels", "Tuned models", _GEMINI),
    Unmetered("/v1beta", "Further methods of the Gemini API", _GEMINI),
    Unmetered("/upload/v1beta", "Uploads", _GEMINI),
)

_BY_PREFIX: Mapping[str, Unmetered] = {known.prefix: known for known in _KNOWN}

_LONGEST_PREFIX = 3
"""In segments. No more of a path is looked at, however long it is."""


def unmetered(path: str) -> Unmetered | None:
    """The family of a path, by its longest prefix of whole segments."""
    segments = path.split("/", _LONGEST_PREFIX + 1)[: _LONGEST_PREFIX + 1]
    prefixes = ("/".join(segments[:end]) for end in range(len(segments), 1, -1))
    return next((_BY_PREFIX[prefix] for prefix in prefixes if prefix in _BY_PREFIX), None)
