"""OpenAI's completions of old: a prompt is continued, without roles.

Each of the prompts gets `n` choices, and `best_of` lets a server write more than it shows, so
prompts times the larger of the two is reserved. OpenAI writes 16 tokens where `max_tokens` is
missing, other servers as many as fit; so the estimate is learned, as for any request without a
ceiling. With `echo` the prompt passes as if it were delivered: that matters only for a stream that
broke off before its usage came.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.facts.dialects import request_fields
from gateway.facts.dialects.openai_chunks import (
    Choice,
    ChunkedFormat,
    ceiling,
    choices,
    stream_fields,
)
from gateway.facts.dialects.openai_family import end_user, session
from gateway.facts.dialects.prompt_size import text_bytes
from gateway.facts.dialects.text_input import read_texts
from gateway.facts.estimate import input_tokens
from gateway.facts.exchange import Ask, Route, RouteName

COMPLETIONS = Route(RouteName.COMPLETIONS, "POST", "/v1/completions", generates=True)


class OpenAICompletions(ChunkedFormat):
    routes: Sequence[Route] = (COMPLETIONS,)

    def read_ask(
        self,
        route: Route,  # noqa: ARG002  there is one
        body: Mapping[str, Any],
        body_bytes: int,  # noqa: ARG002  the text is counted, not the body around it
        path_model: str | None = None,  # noqa: ARG002  the body names the model
    ) -> Ask:
        model = request_fields.model_name(body)
        prompts = read_texts(body, "prompt")
        suffix = request_fields.text(body, "suffix") or ""
        stream, wants_usage_chunk = stream_fields(body)
        return Ask(
            model=model,
            stream=stream,
            input_tokens=prompts.tokens + prompts.count * input_tokens(text_bytes(suffix), 0),
            max_output_tokens=ceiling(body, "max_tokens", least=0),
            choices=prompts.count * choices(body, "best_of"),
            end_user=end_user(body),
            session=session(body),
            wants_usage_chunk=wants_usage_chunk,
            temperature=request_fields.number(body, "temperature"),
            logprobs=body.get("logprobs") is not None,  # 0 asks for that of the token itself
            turns=1,
        )

    def written_bytes(self, choice: Choice) -> int:
        return text_bytes(choice.get("text"))
