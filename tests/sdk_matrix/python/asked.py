"""What a client is asked to do, and what came of it, the same for every SDK."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MODEL = "demo-small"
WORDS = "Say hello"
CEILING = 50
"""Of the output, in tokens."""
NEVER = 5000
"""A ceiling that no quota of the scene has room for."""
LONG_PROMPT = "word " * 4000
TIMEOUT_S = 20.0

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
"""Of a structured answer."""
ZONE: dict[str, Any] = {
    "type": "object",
    "properties": {"zone": {"type": "string"}},
    "required": ["zone"],
}
"""Of the arguments of the tool `clock`."""
CLOCK: dict[str, Any] = {"name": "clock", "description": "The time.", "parameters": ZONE}
PNG_BASE64 = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5E"
    "rkJggg=="
)
PNG = base64.b64decode(PNG_BASE64)
PNG_URL = f"data:image/png;base64,{PNG_BASE64}"


class Cannot(Exception):
    """The SDK has no way to ask for this."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`key` None: without any credential."""

    client: str
    task: str
    url: str
    key: str | None

    @property
    def stream(self) -> bool:
        return self.task.endswith("stream")

    @property
    def root(self) -> str:
        """Where the SDK believes the API to be."""
        return f"{self.url}/nowhere" if self.task == "wrong address" else self.url

    @property
    def words(self) -> str:
        return LONG_PROMPT if self.task == "large" else WORDS

    @property
    def ceiling(self) -> int:
        return NEVER if self.task == "never" else CEILING

    def keyed(self, what: str = "a key") -> str:
        """For an SDK that is never without."""
        if self.key is None:
            raise Cannot(f"it always sends {what}")
        return self.key


@dataclass(slots=True)
class Said:
    """What arrived; when an error came in mid-stream, what arrived before it."""

    text: str = ""
    tool: str | None = None
    """The name of the tool that was called."""
    arguments: str | None = None
    choices: int = 0
    input_tokens: int | None = None
    """As the SDK reports usage; None: it does not."""
    output_tokens: int | None = None
    headers: dict[str, str] | None = None
    """Of the answer, as the SDK lets a program read them; None: it does not."""

    def called(self, name: str, arguments: str | Mapping[str, Any]) -> None:
        self.tool = name
        given = arguments if isinstance(arguments, str) else json.dumps(dict(arguments))
        self.arguments = (self.arguments or "") + given

    def used(self, read: int | None, written: int | None) -> None:
        self.input_tokens, self.output_tokens = read, written

    def read_headers(self, headers: Any) -> None:
        self.headers = {str(name).lower(): str(value) for name, value in dict(headers).items()}


@dataclass(frozen=True, slots=True)
class Problem:
    """An error, as a program sees it that catches it."""

    name: str
    status: int | None
    code: str | None
    message: str = field(repr=False, default="")
