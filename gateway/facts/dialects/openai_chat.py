"""OpenAI's chat completions, as OpenAI, vLLM and llama.cpp's server speak them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
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
from gateway.facts.dialects.passing import inner, objects
from gateway.facts.dialects.prompt_size import measured, text_bytes
from gateway.facts.exchange import Ask, Route, RouteName

CHAT = Route(RouteName.CHAT, "POST", "/v1/chat/completions", generates=True)


_USUAL = {"model", "messages", "stream", "max_tokens", "temperature"}


class OpenAIChat(ChunkedFormat):
    routes: Sequence[Route] = (CHAT,)

    def read_ask(
        self,
        route: Route,  # noqa: ARG002  there is one
        body: Mapping[str, Any],
        body_bytes: int,  # noqa: ARG002  the text is counted, not the body around it
        path_model: str | None = None,  # noqa: ARG002  the body names the model
    ) -> Ask:
        messages = request_fields.messages(body)
        roles = [message.get("role") for message in objects(messages)]
        prompt = measured(body, messages)
        ask = Ask(
            model=request_fields.model_name(body),
            stream=request_fields.flag(body, "stream"),
            input_tokens=prompt.tokens,
            max_output_tokens=request_fields.whole_number(body, "max_tokens", least=1),
            temperature=request_fields.number(body, "temperature"),
            images=prompt.images,
            turns=roles.count("user"),
            tool_results=roles.count("tool") + roles.count("function"),
        )
        return ask if body.keys() <= _USUAL else _with_the_rest(ask, body)

    def written_bytes(self, choice: Choice) -> int:
        return _message_bytes(inner(choice, "delta")) + _message_bytes(inner(choice, "message"))


def _with_the_rest(ask: Ask, body: Mapping[str, Any]) -> Ask:
    """What most requests do not say."""
    _, wants_usage_chunk = stream_fields(body)
    return replace(
        ask,
        max_output_tokens=ceiling(body, "max_tokens", "max_completion_tokens", least=1),
        choices=choices(body),
        end_user=end_user(body),
        session=session(body),
        wants_usage_chunk=wants_usage_chunk,
        logprobs=request_fields.asked(body, "logprobs", "top_logprobs", "n_probs"),
        reasoning=_reasoning(body),
        tools=request_fields.length(body, "tools") + request_fields.length(body, "functions"),
    )


def _reasoning(body: Mapping[str, Any]) -> bool:
    """By OpenAI's name, or by those of the servers that speak its dialect."""
    template = inner(body, "chat_template_kwargs")
    thinking = inner(body, "thinking").get("type")
    return (
        request_fields.asked(body, "reasoning_effort", "reasoning", "include_reasoning")
        or request_fields.asked(template, "enable_thinking", "thinking")
        or thinking not in (None, "disabled")
    )


def _message_bytes(message: Mapping[str, Any]) -> int:
    reasoning = max(  # vLLM sends the same text under both names
        text_bytes(message.get("reasoning_content")), text_bytes(message.get("reasoning"))
    )
    return reasoning + sum(
        text_bytes(message.get(name))
        for name in ("content", "refusal", "tool_calls", "function_call")
    )
