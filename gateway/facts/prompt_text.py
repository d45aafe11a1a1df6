"""The texts of one request from which fingerprints are made: whoever asks, in whichever dialect.

A body names its conversation in one of four ways (`messages`, `input`, `contents`, `prompt`), and
every dialect is read by these names alone. Of long texts the head and the tail are looked at. The
texts live no longer than it takes to fingerprint them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.facts.json_text import dump

HEAD_CHARACTERS = 2_500
TAIL_CHARACTERS = 500

_SYSTEM_ROLES = frozenset({"system", "developer"})
_CONVERSATIONS = ("messages", "input", "contents", "prompt")
_INSTRUCTIONS = ("system", "instructions", "systemInstruction", "system_instruction")
_TOOLS = ("tools", "functions")
_TOOL_NAME = ("name", "type")
_DECLARED = ("functionDeclarations", "function_declarations")

MOST_TOOLS = 64
"""Of more tools the first are looked at."""


@dataclass(frozen=True, slots=True)
class PromptText:
    """Never logged, never kept."""

    asked: str = field(repr=False)
    """The last thing that the user says; of a long one the head and the tail."""
    system: str = field(repr=False)
    tools: str = field(repr=False)
    """Names of the tools, sorted."""
    single: bool
    """One turn of the user's, no tools, nothing that a tool gave back."""


def prompt_text(body: Mapping[str, Any]) -> PromptText | None:
    """None if the body holds no conversation. Never raises: what is odd is passed over."""
    name = next((one for one in _CONVERSATIONS if body.get(one)), None)
    if name is None:
        return None
    instructions = next((body[one] for one in _INSTRUCTIONS if body.get(one)), "")
    system = [sampled(_text(instructions))] if instructions else []
    tools = _tools(body)
    conversation = body[name]
    if isinstance(conversation, str):
        return PromptText(sampled(conversation), _joined(system), tools, single=not tools)
    if not isinstance(conversation, list):
        return None
    turns, last, others = 0, "", False
    for message in conversation:
        if isinstance(message, str):  # one of several prompts of a completion
            turns, last = turns + 1, message
            continue
        if not isinstance(message, dict):
            continue
        named = message.get("role")
        role = named if isinstance(named, str) else None
        if role in _SYSTEM_ROLES:
            system.append(sampled(_text(message)))
        elif role in {"user", None} and not _is_of_a_tool(message):
            text = _text(message)
            turns += 1
            last = text or last
        else:
            others = True
    single = turns == 1 and not others and not tools
    return PromptText(sampled(last), _joined(system), tools, single=single)


def sampled(text: str) -> str:
    """Head and tail of a long one."""
    if len(text) <= HEAD_CHARACTERS + TAIL_CHARACTERS:
        return text
    return text[:HEAD_CHARACTERS] + "\n" + text[-TAIL_CHARACTERS:]


def _joined(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else "\n".join(parts)


def _is_of_a_tool(message: Mapping[str, Any]) -> bool:
    """A user's message in Anthropic's and Gemini's dialect, an item in that of responses."""
    if "role" not in message and "parts" not in message:
        return message.get("type") not in (None, "message", "input_text")
    parts = message.get("content", message.get("parts"))
    return isinstance(parts, list) and any(
        isinstance(part, dict) and (part.get("type") == "tool_result" or "functionResponse" in part)
        for part in parts
    )


def _text(value: object) -> str:
    """All text in a message, an instruction, or a list of parts; of a huge one the beginning."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        content = value.get("content")
        if isinstance(content, str):
            return content
    return " ".join(_texts(value))


def _texts(value: object) -> Iterator[str]:
    """A stack, since a recursion has a limit."""
    waiting: list[object] = [value]
    seen = 0
    while waiting and seen < HEAD_CHARACTERS * 4:
        one = waiting.pop()
        if isinstance(one, str):
            seen += len(one)
            yield one
        elif isinstance(one, list):
            waiting.extend(reversed(one))
        elif isinstance(one, dict):
            inner = one.get("content", one.get("parts", one.get("text")))
            if inner is not None:
                waiting.append(inner)


def _tools(body: Mapping[str, Any]) -> str:
    names: list[str] = []
    for key in _TOOLS:
        listed = body.get(key)
        if isinstance(listed, list):
            names += _names(listed[:MOST_TOOLS])
    return "\n".join(sorted(names))


def _names(listed: Iterable[object]) -> Iterator[str]:
    for tool in listed:
        if not isinstance(tool, dict):
            continue
        declared = next((tool[key] for key in _DECLARED if isinstance(tool.get(key), list)), None)
        if declared is not None:
            yield from _names(declared[:MOST_TOOLS])
            continue
        function = tool.get("function")
        of = function if isinstance(function, dict) else tool
        name = next((of[key] for key in _TOOL_NAME if isinstance(of.get(key), str)), None)
        yield name if name is not None else dump(sorted(map(str, of))).decode()
