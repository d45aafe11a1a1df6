"""litellm as a client library, over each of the three formats; its proxy is not used."""

from typing import Any

import litellm
import openai

from tests.sdk_matrix.python import openai_client
from tests.sdk_matrix.python.asked import MODEL, TIMEOUT_S, Asked, Cannot, Problem, Said

OPENAI, ANTHROPIC, GEMINI = "litellm openai/", "litellm anthropic/", "litellm gemini/"
RETRYING = "litellm openai/ with num_retries=2"
WHERE = {ANTHROPIC: "", GEMINI: "/v1beta"}
"""What of the API's address it does not add by itself, where that is not `/v1`."""

litellm.suppress_debug_info = True
litellm.telemetry = False


async def ask(asked: Asked, said: Said) -> None:
    given: dict[str, Any] = {
        "api_key": asked.keyed(),
        "timeout": TIMEOUT_S,
        "api_base": asked.root + WHERE.get(asked.client, "/v1"),
    }
    model = f"{asked.client.partition(' ')[2].partition('/')[0]}/{MODEL}"
    if asked.client == RETRYING:
        given["num_retries"] = 2
    if asked.task in ("wrong route", "wrong method", "count"):
        raise Cannot("not tried")
    if asked.client in (ANTHROPIC, GEMINI) and asked.task.startswith(
        ("embeddings", "responses", "completions", "choices")
    ):
        raise Cannot("not tried")
    if asked.task == "embeddings":
        embedded = await litellm.aembedding(model=model, input=[asked.words], **given)
        said.choices = len(embedded.data)
        said.used(embedded.usage.prompt_tokens, 0)
        _read_headers(embedded, said)
    elif asked.task.startswith("responses"):
        await _respond(model, asked, said, given)
    elif asked.task.startswith("completions"):
        await _complete(model, asked, said, given)
    else:
        await _chat(model, asked, said, given)


def problem(error: Exception) -> Problem:
    """Its errors are the openai SDK's, by inheritance."""
    name = f"litellm.{type(error).__name__}"
    status = getattr(error, "status_code", None)
    code = error.code if isinstance(error, openai.APIError) else None
    return Problem(name, status, None if code == str(status) else code, str(error))


async def _chat(model: str, asked: Asked, said: Said, given: dict[str, Any]) -> None:
    body = openai_client.fields(asked) | {"model": model}
    if "extra_body" in body:
        body |= body.pop("extra_body")
    answer = await litellm.acompletion(**body, **given)
    _read_headers(answer, said)
    if asked.stream:
        await openai_client.read_chunks(answer, said)
    else:
        openai_client.read_completion(answer, said)


async def _respond(model: str, asked: Asked, said: Said, given: dict[str, Any]) -> None:
    answer: Any = await litellm.aresponses(
        model=model,
        input=asked.words,
        max_output_tokens=asked.ceiling,
        stream=asked.stream,
        **given,
    )
    _read_headers(answer, said)
    if not asked.stream:
        said.text, said.choices = answer.output_text, 1
        said.used(answer.usage.input_tokens, answer.usage.output_tokens)
        return
    async for event in answer:
        if event.type == "response.output_text.delta":
            said.text += event.delta
        elif event.type == "response.completed":
            said.choices = 1
            said.used(event.response.usage.input_tokens, event.response.usage.output_tokens)


async def _complete(model: str, asked: Asked, said: Said, given: dict[str, Any]) -> None:
    body: dict[str, Any] = {"prompt": asked.words, "max_tokens": asked.ceiling}
    if asked.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    name = model.replace("openai/", "text-completion-openai/")
    answer: Any = await litellm.atext_completion(model=name, **body, **given)
    _read_headers(answer, said)
    if not asked.stream:
        said.text, said.choices = answer.choices[0].text, len(answer.choices)
        said.used(answer.usage.prompt_tokens, answer.usage.completion_tokens)
        return
    async for chunk in answer:
        for choice in chunk.choices:
            said.text += choice.text or ""
            said.choices = 1
        if getattr(chunk, "usage", None) is not None:
            said.used(chunk.usage.prompt_tokens, chunk.usage.completion_tokens)


def _read_headers(answer: Any, said: Said) -> None:
    """Where it keeps those of the model API, some under a prefix."""
    hidden = getattr(answer, "_hidden_params", None) or {}
    headers = getattr(answer, "_response_headers", None) or hidden.get("additional_headers") or {}
    if headers:
        said.read_headers(
            {str(name).removeprefix("llm_provider-"): value for name, value in headers.items()}
        )
