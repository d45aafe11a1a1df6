"""What the scripted model writes, before any dialect words it: the same request, the same answer.

One word of the request is one token of input, one piece of the answer one token of output. The rule
is not the one by which gauger estimates, so that an estimate never passes for a count.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, NamedTuple

from gateway.demo.scripts import Fault, JsonObject, Script, ToolCall

TOKENS_PER_MESSAGE = 3
"""What the template of a model wraps around each."""
ARGUMENT_CHARACTERS = 4
"""Of a tool call's JSON in one token."""
SHORTEST_ANSWER, LONGEST_ANSWER = 8, 40
"""Tokens, where neither script nor ceiling says otherwise."""
WORDS = (
    *("water", "river", "stone", "light", "cloud", "morning", "garden", "paper", "letter"),
    *("window", "harbour", "winter", "music", "silver", "forest", "bridge", "candle", "market"),
)


class Rejected(Exception):
    """The model API does not take this request."""

    def __init__(self, status: int, fault: Fault) -> None:
        super().__init__(fault.message)
        self.status = status
        self.fault = fault


class Event(NamedTuple):
    """One write of the answer."""

    data: bytes
    written: int = 0
    """Tokens of output that the model wrote for it, shown or not."""
    shown: int = 0
    """Of these, in `data`."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, read from its dialect."""

    model: str
    input_tokens: int
    fingerprint: str
    """Of what was said, for an answer that depends on it."""
    stream: bool = False
    include_usage: bool = False
    ceiling: int | None = None
    """Of each choice."""
    choices: int = 1
    tool: ToolCall | None = None
    """Demanded by the request."""


@dataclass(frozen=True, slots=True)
class Choice:
    pieces: tuple[str, ...]
    tool: str | None
    """The name of the tool whose arguments the pieces are; None: they are text."""
    cut: bool
    """The ceiling ended it."""


@dataclass(frozen=True, slots=True)
class Answer:
    asked: Asked
    script: Script
    ident: str
    choices: tuple[Choice, ...]
    cached_tokens: int
    reasoning_tokens: int
    """Over all choices."""

    @property
    def shown_tokens(self) -> int:
        return sum(len(choice.pieces) for choice in self.choices)

    @property
    def output_tokens(self) -> int:
        return self.shown_tokens + self.reasoning_tokens


def answer(asked: Asked, script: Script, *, seed: str, ident: str) -> Answer:
    """Never more than the ceiling allows, each choice; reasoning is spent before text."""
    ceiling = asked.ceiling
    thought = script.reasoning_tokens if ceiling is None else min(script.reasoning_tokens, ceiling)
    tool = script.tool or (asked.tool if script.pieces is None else None)
    choices = []
    for index in range(asked.choices):
        whole = _in_pieces(tool.arguments) if tool else script.pieces
        if whole is None:
            whole = _words(f"{seed}/{asked.fingerprint}/{index}")
        pieces = whole if ceiling is None else whole[: ceiling - thought]
        choices.append(Choice(pieces, tool.name if tool else None, len(pieces) < len(whole)))
    return Answer(
        asked,
        script,
        ident,
        tuple(choices),
        min(script.cached_tokens, asked.input_tokens),
        thought * asked.choices,
    )


def input_tokens(messages: list[Any], *others: object) -> int:
    """Words in all strings, and a few for each message."""
    words = _words_in(messages) + sum(_words_in(other) for other in others)
    return words + TOKENS_PER_MESSAGE * len(messages)


def fingerprint(*said: object) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def tool_call(name: str, schema: JsonObject) -> ToolCall:
    """Every required argument is filled with a word, whatever its type."""
    required = schema.get("required", [])
    return ToolCall(name, json.dumps(dict.fromkeys(required, WORDS[0])))


def _words_in(value: object) -> int:
    if isinstance(value, str):
        return len(value.split())
    if isinstance(value, dict):
        return sum(_words_in(part) for part in value.values())
    if isinstance(value, list):
        return sum(_words_in(part) for part in value)
    return 0


def _in_pieces(text: str) -> tuple[str, ...]:
    size = ARGUMENT_CHARACTERS
    return tuple(text[at : at + size] for at in range(0, len(text), size))


def _words(seed: str) -> tuple[str, ...]:
    length, *numbers = hashlib.shake_256(seed.encode()).digest(1 + LONGEST_ANSWER)
    count = SHORTEST_ANSWER + length % (LONGEST_ANSWER - SHORTEST_ANSWER + 1)
    words = [WORDS[number % len(WORDS)] for number in numbers[:count]]
    return (words[0].capitalize(), *(f" {word}" for word in words[1:]))
