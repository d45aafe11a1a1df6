"""By which id an agent's loop or a conversation calls itself, in headers and in bodies.

Whoever asks chooses it, so it parts the requests of one account and identifies nobody. Observed of
clients: `x-session-id` (OpenRouter and many programs), `x-claude-code-session-id` and `session-id`
(the coding agents of Anthropic and OpenAI; older ones `session_id`), LiteLLM's own names. OpenAI's
`prompt_cache_key` is none: it says whose beginnings of prompts are alike.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.errors import MalformedRequest
from gateway.facts.json_text import json_type

CHARACTERS = 256
"""Of an id. Those in use are UUIDs, or have a prefix before one."""

HEADERS = (
    b"x-session-id",
    b"x-litellm-session-id",
    b"x-claude-code-session-id",
    b"session-id",
    b"session_id",
    b"x-litellm-trace-id",
)
"""The first that says something counts, and counts before the body."""

_LONGEST_USER_ID = 1_024
"""That holds a session; longer is read as it is."""

_PRINTABLE = re.compile(rb"[ -~]+")
_IN_USER_ID = re.compile(r"(user_.*_account_.*)_session_([0-9A-Za-z-]{1,64})")


def in_headers(values: Mapping[bytes, bytes]) -> str | None:
    """`values` by lower-case names. Raises `MalformedRequest`, which names the header."""
    for name in HEADERS:
        value = values.get(name)
        if value is None or not (value := value.strip()):
            continue
        if len(value) > CHARACTERS or not _PRINTABLE.fullmatch(value):
            raise _wrong(
                name.decode(), f"{len(value):,} bytes long or not plain text", "printable ASCII"
            )
        return value.decode("ascii")
    return None


def in_field(body: Mapping[str, Any], name: str, *, within: str = "") -> str | None:
    """None where it is absent or empty. Raises `MalformedRequest`."""
    value = body.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise _wrong(within + name, json_type(value), "a string")
    if len(value) > CHARACTERS:
        raise _wrong(within + name, f"a string of {len(value):,} characters", "a string")
    return value


class UserId(NamedTuple):
    """What `metadata.user_id` says."""

    end_user: str
    """Without the session, so that a new one makes no other end user."""
    session: str | None


def in_user_id(text: str) -> UserId:
    """Anthropic's coding agent puts its session into the user's id, in one of two forms."""
    if len(text) > _LONGEST_USER_ID:
        return UserId(text, None)
    if match := _IN_USER_ID.fullmatch(text):
        return UserId(match[1], match[2])
    if text.startswith("{") and '"session_id"' in text:
        try:
            parts = json.loads(text)
        except (ValueError, RecursionError):
            return UserId(text, None)
        session = parts.pop("session_id", None)
        if isinstance(session, str) and 0 < len(session) <= CHARACTERS:
            return UserId(json.dumps(parts, sort_keys=True), session)
    return UserId(text, None)


def _wrong(name: str, found: str, kind: str) -> MalformedRequest:
    return MalformedRequest(
        f'"{name}" is {found}; allowed is {kind}, at most {CHARACTERS} characters.', field=name
    )
