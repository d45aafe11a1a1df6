"""How much a model will have to read of a request in Gemini's form, and of what kinds.

Text is counted by its bytes, wherever it stands in a part; an image or a file gets a flat figure,
since base64 is not text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.errors import MalformedRequest
from gateway.facts.dialects import request_fields
from gateway.facts.dialects.gemini_fields import objects, spellings, spelt
from gateway.facts.estimate import FILE_TOKENS, IMAGE_TOKENS, input_tokens
from gateway.facts.json_text import dump

_TOOL = spellings("functionDeclarations")
_CONTENT = spellings("role", "parts")
_PART = spellings("text", "inlineData", "fileData", "functionResponse")
_DATA = spellings("mimeType", "data")
_RESPONSE = spellings("parts")

_NO_TEXT = frozenset(
    spelling
    for pair in (
        *_PART,
        *spellings("thought", "thoughtSignature", "videoMetadata", "mediaResolution"),
    )
    for spelling in pair
)
"""Members of a part that are counted in a way of their own, or that the model does not read."""


@dataclass(slots=True)
class Prompt:
    """What the model will have to read: sizes and counts, no text."""

    within: str = ""
    text_bytes: int = 0
    flat_tokens: int = 0
    contents: int = 0
    turns: int = 0
    images: int = 0
    tools: int = 0
    tool_results: int = 0

    @property
    def tokens(self) -> int:
        return input_tokens(self.text_bytes, self.contents) + self.flat_tokens

    def take(self, fields: Mapping[str, Any]) -> None:
        """The fields of a whole request."""
        name = f"{self.within}contents"
        if fields.get(name) is None:
            raise MalformedRequest(
                f'"{name}" is missing; allowed is an array of contents.', field=name
            )
        for at, content in objects(fields[name], name):
            self._take_content(content, f"{at}.")
        name = f"{self.within}systemInstruction"
        if system := request_fields.mapping(fields, name):
            self._take_content(system, f"{name}.", spoken=False)
        name = f"{self.within}tools"
        for at, tool in objects(fields.get(name), name):
            self._take_tool(tool, f"{at}.")

    def _take_content(
        self, content: Mapping[str, Any], within: str, *, spoken: bool = True
    ) -> None:
        fields = spelt(content, _CONTENT, within)
        results = self.tool_results
        for at, part in objects(fields.get(f"{within}parts"), f"{within}parts"):
            self._take_part(part, f"{at}.")
        self.contents += 1
        role = request_fields.text(fields, f"{within}role") or "user"
        self.turns += spoken and role == "user" and self.tool_results == results

    def _take_part(self, part: Mapping[str, Any], within: str) -> None:
        fields = spelt(part, _PART, within)
        text = request_fields.text(fields, f"{within}text") or ""
        self.text_bytes += len(text.encode())
        for other in part.keys() - _NO_TEXT:
            self.text_bytes += len(dump(part[other]))
        for name in (f"{within}inlineData", f"{within}fileData"):
            if data := request_fields.mapping(fields, name):
                self._take_data(data, f"{name}.")
        name = f"{within}functionResponse"
        if response := request_fields.mapping(fields, name):
            self._take_response(response, f"{name}.")

    def _take_data(self, data: Mapping[str, Any], within: str) -> None:
        """A flat figure, but for text: that is as long as it is, whatever its wrapping."""
        fields = spelt(data, _DATA, within)
        kind = (request_fields.text(fields, f"{within}mimeType") or "").lower()
        sent = request_fields.text(fields, f"{within}data") or ""
        if kind.startswith("image/"):
            self.images += 1
            self.flat_tokens += IMAGE_TOKENS
        elif kind.startswith("text/") and sent:
            self.text_bytes += len(sent) * 3 // 4  # base64
        else:
            self.flat_tokens += FILE_TOKENS

    def _take_response(self, response: Mapping[str, Any], within: str) -> None:
        fields = spelt(response, _RESPONSE, within)
        self.tool_results += 1
        said = {name: v for name, v in response.items() if name not in ("id", "parts")}
        self.text_bytes += len(dump(said))
        for at, part in objects(fields.get(f"{within}parts"), f"{within}parts"):
            self._take_part(part, f"{at}.")

    def _take_tool(self, tool: Mapping[str, Any], within: str) -> None:
        """Functions that the caller declares, and tools of Google's own, one for each key."""
        fields = spelt(tool, _TOOL, within)
        name = f"{within}functionDeclarations"
        declared = sum(1 for _ in objects(fields.get(name), name))
        self.tools += declared + len(tool) - len(fields)
        self.text_bytes += len(dump(tool))
