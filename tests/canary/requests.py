"""Requests with a secret in each place that a caller can fill, well and badly made."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.canary.canaries import Canaries
from tests.canary.model import SCENES


@dataclass(frozen=True, slots=True)
class Sent:
    path: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"


def dialects(canaries: Canaries, model: str, **more: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """A path and a body of each route that takes a prompt."""
    prompt, system = canaries["prompt"], canaries["system prompt"]
    messages = [{"role": "user", "content": prompt}]
    chat = [{"role": "system", "content": system}, *messages]
    user = {"user": canaries["end user"]}
    yield (
        "/v1/chat/completions",
        {"model": model, "max_tokens": 9, "messages": chat, **user, **more},
    )
    yield "/v1/responses", {"model": model, "max_output_tokens": 9, "input": prompt, **user, **more}
    yield "/v1/completions", {"model": model, "max_tokens": 9, "prompt": prompt, **user, **more}
    yield "/v1/embeddings", {"model": model, "input": [prompt, system], **user}
    yield (
        "/v1/messages",
        {
            "model": model,
            "max_tokens": 9,
            "system": system,
            "messages": messages,
            "metadata": {"user_id": canaries["end user"]},
            **more,
        },
    )
    verb = "streamGenerateContent" if more.get("stream") else "generateContent"
    gemini = {
        "systemInstruction": {"parts": [{"text": system}]},
        "contents": [{"role": "user", "parts": [{"text": prompt}]}],
        "generationConfig": {"maxOutputTokens": 9},
    }
    yield f"/v1beta/models/{model}:{verb}", gemini


def well_made(canaries: Canaries) -> Iterator[Sent]:
    for scene in SCENES:
        for path, body in dialects(canaries, f"{scene}-model"):
            yield Sent(path, json.dumps(body).encode())
    for path, body in dialects(canaries, "plain-model", stream=True):
        yield Sent(path, json.dumps(body).encode())


def badly_made(canaries: Canaries) -> Iterator[Sent]:
    """Each is refused before any policy, and the refusal repeats nothing."""
    secret = canaries["malformed"]
    path = "/v1/chat/completions"
    messages = [{"role": "user", "content": secret}]
    yield Sent(path, b'{"model": "m", "prompt": "' + secret.encode())
    yield Sent(path, b'{"model": "m", "%s": 1, "%s": 2}' % ((secret.encode(),) * 2))
    yield Sent(path, json.dumps({"model": "m", "max_tokens": secret, "messages": []}).encode())
    yield Sent(path, json.dumps({"model": "m", "Max_Tokens": 1, "messages": messages}).encode())
    yield Sent(path, json.dumps({"model": {"x": secret}, "messages": messages}).encode())
    yield Sent(path, secret.encode())
    yield Sent(path, json.dumps([secret]).encode())
    yield Sent(path, b"\xef\xbb\xbf" + json.dumps({"model": secret}).encode())
    yield Sent(path, (secret * 9_000).encode())
    yield Sent(path, secret.encode(), {"content-type": f"text/{secret}"})
    yield Sent(path, secret.encode(), {"content-encoding": secret})
    yield Sent(path, secret.encode(), {"expect": secret})
    yield Sent(f"/v1/{secret}", b"{}")
    yield Sent(f"/v1/chat/completions/{secret}", b"{}")
    yield Sent(f"/v1/%2e%2e/{secret}", b"{}")
    yield Sent(f"{path}?key={secret}", b"{}")
    yield Sent(f"/v1beta/models/{secret}/{secret}:generateContent?key={secret}", b"{}")
    yield Sent(path, b"{}", method="GET")
    yield Sent(path, b"{}", {"x-api-key": canaries["second key"]})
    yield Sent(path, b"{}", {"x_api_key": canaries["second key"]})
    yield Sent(path, b"{}", {"cookie": f"session={canaries['second key']}"})


def credentials(canaries: Canaries, what: str) -> Iterator[dict[str, str]]:
    """One secret in each header that a dialect has for a key."""
    secret = canaries[what]
    yield {"authorization": f"Bearer {secret}"}
    yield {"x-api-key": secret}
    yield {"x-goog-api-key": secret}
    yield {"authorization": secret}
    yield {"authorization": f"Basic {secret}"}
    yield {"authorization": f"Bearer {secret} {secret}"}
    yield {"authorization": f"Bearer {secret * 300}"}
