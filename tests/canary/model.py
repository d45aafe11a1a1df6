"""A model API that answers with secrets, in every dialect, and fails in every way."""

import json

from gateway.proxy.asgi import Receive, Scope, Send
from tests.canary.canaries import Canaries

SCENES = ("plain", "error", "unreadable", "redirect", "cut", "status")


class TellingModel:
    """What it does, the name of the model in the request says: `plain`, `error`, `cut`, ..."""

    def __init__(self, canaries: Canaries) -> None:
        self._canaries = canaries
        self.heard: list[bytes] = []
        """All that reached it, so that a test knows that its secrets were really sent."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.heard.append(body)
        said = f"{scope['path']} {body.decode(errors='replace')}"
        scene = next((name for name in SCENES if f"{name}-model" in said), "plain")
        match scene:
            case "error":
                answer = {"error": {"message": self._canaries["upstream error"], "type": "x"}}
                await _answer(send, 500, json.dumps(answer).encode())
            case "status":
                await _answer(send, 400, self._canaries["upstream error"].encode())
            case "unreadable":
                await _answer(send, 200, b"{" + self._canaries["answer"].encode())
            case "redirect":
                where = f"https://{self._canaries['redirect']}.example/".encode()
                await _answer(send, 307, b"", (b"location", where))
            case "cut":
                await self._stream(send, scope["path"], ends=False)
            case _ if b'"stream":true' in body.replace(b" ", b"") or "stream" in scope["path"]:
                await self._stream(send, scope["path"], ends=True)
            case _:
                await _answer(send, 200, json.dumps(self._plain(scope["path"])).encode())

    def _plain(self, path: str) -> dict[str, object]:
        answer = self._canaries["answer"]
        if "messages" in path:
            return {
                "type": "message",
                "content": [{"type": "text", "text": answer}],
                "usage": {"input_tokens": 2, "output_tokens": 3},
            }
        if "generateContent" in path:
            return {
                "candidates": [{"content": {"parts": [{"text": answer}]}}],
                "usageMetadata": {"promptTokenCount": 2, "candidatesTokenCount": 3},
            }
        return {
            "choices": [{"index": 0, "message": {"role": "assistant", "content": answer}}],
            "output": [{"type": "message", "content": [{"type": "output_text", "text": answer}]}],
            "usage": {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5},
        }

    async def _stream(self, send: Send, path: str, *, ends: bool) -> None:
        """An app that raises leaves its answer incomplete, which cuts the connection."""
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", b"text/event-stream")],
            }
        )
        events = [
            self._plain(path),
            {"choices": [{"delta": {"content": self._canaries["answer"]}}]},
        ]
        for event in events:
            line = b"data: " + json.dumps(event).encode() + b"\n\n"
            await send({"type": "http.response.body", "body": line, "more_body": True})
        if not ends:
            raise ConnectionResetError
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})


async def _answer(send: Send, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    said = [(b"content-type", b"application/json"), *headers]
    said.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": said})
    await send({"type": "http.response.body", "body": body})
