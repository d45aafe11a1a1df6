"""OpenAI's embeddings: everything that is asked for is input, and nothing is written.

An answer may hold millions of numbers, so they are stepped over, not read.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from gateway.facts.dialects import request_fields
from gateway.facts.dialects.openai_family import OpenAIFormat, end_user, session
from gateway.facts.dialects.passing import Seen, inner, json_object
from gateway.facts.dialects.text_input import read_texts
from gateway.facts.exchange import Ask, Route, RouteName
from gateway.facts.usage import Usage, has_absurd_count, token_count

EMBEDDINGS = Route(RouteName.EMBEDDINGS, "POST", "/v1/embeddings", generates=True)


class _Told(msgspec.Struct):
    """The members of an answer that are read; msgspec skips the others."""

    model: Any = None
    usage: Any = None
    error: Any = None


_ANSWER = msgspec.json.Decoder(_Told)


class OpenAIEmbeddings(OpenAIFormat):
    routes: Sequence[Route] = (EMBEDDINGS,)

    def read_ask(
        self,
        route: Route,  # noqa: ARG002  there is one
        body: Mapping[str, Any],
        body_bytes: int,  # noqa: ARG002  the text is counted, not the body around it
        path_model: str | None = None,  # noqa: ARG002  the body names the model
    ) -> Ask:
        return Ask(
            model=request_fields.model_name(body),
            input_tokens=read_texts(body, "input").tokens,
            max_output_tokens=0,
            end_user=end_user(body),
            session=session(body),
        )

    def parse(self, body: bytes) -> Mapping[str, Any] | None:
        try:
            return msgspec.structs.asdict(_ANSWER.decode(body))
        except (ValueError, RecursionError):
            return json_object(body)

    def note(self, seen: Seen, document: Mapping[str, Any]) -> None:
        seen.note_labels(document)
        usage = inner(document, "usage")
        read, absurd = token_count(usage.get("prompt_tokens")), has_absurd_count(usage)
        seen.usage = Usage(read, None if read is None else 0, absurd=absurd)
