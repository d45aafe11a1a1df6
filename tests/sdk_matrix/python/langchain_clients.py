"""LangChain's two: `ChatOpenAI` over the openai SDK, `ChatAnthropic` over the anthropic one."""

from typing import Any

import anthropic
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessage, HumanMessage
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

from tests.sdk_matrix.python import anthropic_client, openai_client
from tests.sdk_matrix.python.asked import (
    CLOCK,
    MODEL,
    PNG_BASE64,
    SCHEMA,
    TIMEOUT_S,
    Asked,
    Cannot,
    Problem,
    Said,
)

OPENAI, ANTHROPIC = "langchain-openai", "langchain-anthropic"
TOOL: Any = {"type": "function", "function": CLOCK}
PLACE: Any = {"title": "place", "description": "A place.", **SCHEMA}


async def ask(asked: Asked, said: Said) -> None:
    if asked.task in ("wrong route", "wrong method"):
        raise Cannot("it asks for nothing else")
    if asked.task.startswith(("completions", "count")):
        raise Cannot("a chat model has none")
    if asked.task == "embeddings":
        await _embed(asked, said)
        return
    model = _openai(asked) if asked.client == OPENAI else _anthropic(asked)
    if asked.task == "structured":
        given: Any = {"include_raw": True, "method": "json_schema"}
        answer = await model.with_structured_output(PLACE, **given).ainvoke(_messages(asked))
        _read(answer["raw"], said)
        return
    if asked.task.startswith("tools"):
        model = model.bind_tools([TOOL])
    if asked.stream:
        whole: Any = None
        async for chunk in model.astream(_messages(asked)):
            said.text += chunk.text
            whole = chunk if whole is None else whole + chunk
        said.text = ""
        _read(whole, said)
    elif asked.task == "choices":
        result = await model.agenerate([_messages(asked)])
        _read(result.generations[0][0].message, said)
        said.choices = len(result.generations[0])
        usage = (result.llm_output or {}).get("token_usage") or {}
        said.used(usage.get("prompt_tokens"), usage.get("completion_tokens"))
    else:
        _read(await model.ainvoke(_messages(asked)), said)


def problem(error: Exception) -> Problem:
    module = type(error).__module__
    name = f"{module.partition('.')[0]}.{type(error).__name__}"
    beneath = anthropic_client if isinstance(error, anthropic.AnthropicError) else openai_client
    below = beneath.problem(error)
    return Problem(name, below.status, below.code, below.message)


def _openai(asked: Asked) -> Any:
    given: dict[str, Any] = {}
    if asked.task.startswith("responses"):
        given["use_responses_api"] = True
    if asked.task == "choices":
        given["n"] = 2
    if asked.task == "malformed":
        given["extra_body"] = {"max_tokens": "many", "max_completion_tokens": "many"}
    return ChatOpenAI(
        model=MODEL,
        base_url=f"{asked.root}/v1",
        api_key=asked.keyed(),
        max_tokens=asked.ceiling,
        timeout=TIMEOUT_S,
        include_response_headers=True,
        stream_usage=True,
        **given,
    )


def _anthropic(asked: Asked) -> Any:
    if asked.task.startswith(anthropic_client.ELSEWHERE):
        raise Cannot("its API has none")
    given: dict[str, Any] = {}
    if asked.task == "malformed":
        given["model_kwargs"] = {"extra_body": {"max_tokens": "many"}}
    return ChatAnthropic(
        model_name=MODEL,
        base_url=asked.root,
        api_key=asked.keyed(),
        max_tokens_to_sample=asked.ceiling,
        timeout=TIMEOUT_S,
        stop=None,
        **given,
    )


async def _embed(asked: Asked, said: Said) -> None:
    if asked.client == ANTHROPIC:
        raise Cannot("its API has none")
    embeddings = OpenAIEmbeddings(
        model=MODEL,
        base_url=f"{asked.root}/v1",
        api_key=asked.keyed(),
        check_embedding_ctx_length=False,  # else it looks for the model's tokenizer in the network
    )
    said.choices = len(await embeddings.aembed_documents([asked.words]))


def _messages(asked: Asked) -> list[Any]:
    if asked.task != "image":
        return [HumanMessage(asked.words)]
    image = {"type": "image", "base64": PNG_BASE64, "mime_type": "image/png"}
    return [HumanMessage([{"type": "text", "text": asked.words}, image])]


def _read(message: AIMessage, said: Said) -> None:
    said.text += message.text
    said.choices = 1
    for call in message.tool_calls:
        said.called(call["name"], call["args"])
    if message.usage_metadata is not None:
        said.used(message.usage_metadata["input_tokens"], message.usage_metadata["output_tokens"])
    headers = message.response_metadata.get("headers")
    if headers is not None:
        said.read_headers(headers)
