"""Which software a client says it is: its `User-Agent` as one word of a closed list.

A claim, not a proof: anybody can send any header. It sorts honest traffic and names in a trace what
an engineer would look for first.
"""

OTHER = "other"
"""It says something that is not listed."""
NONE = "none"
"""It says nothing."""

_MARKS = (
    ("litellm", "litellm"),
    ("langchain", "langchain"),
    ("openai", "openai"),
    ("anthropic", "anthropic"),
    ("google-genai", "google-genai"),
    ("python-httpx", "httpx"),
    ("aiohttp", "aiohttp"),
    ("python-requests", "requests"),
    ("curl/", "curl"),
    ("undici", "node"),
    ("node", "node"),
    ("go-http-client", "go"),
    ("okhttp", "java"),
    ("java", "java"),
    ("mozilla/", "browser"),
)
"""What stands in the header, in small letters, and what it means. The first that is found counts:
frameworks stand before the SDKs that they are made of, and these before their HTTP clients."""

SDKS = (*dict.fromkeys(name for _, name in _MARKS), OTHER, NONE)
"""All values that there are."""

_READ_CHARACTERS = 256


def sdk(user_agent: str | None) -> str:
    """One of `SDKS`."""
    if not user_agent:
        return NONE
    said = user_agent[:_READ_CHARACTERS].lower()
    return next((name for mark, name in _MARKS if mark in said), OTHER)
