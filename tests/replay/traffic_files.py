"""Traffic for tests: records with only what matters spelled out, and files made of them."""

import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

START_S = 1_780_000_000.0

SAMPLE = Path(__file__).parents[2].parent / "shared" / "data" / "traffic-sample.jsonl.gz"


def record(at_s: float = 0.0, account: str = "acct_1", **changed: Any) -> dict[str, Any]:
    """`at_s` counts from `START_S`. Whatever else is given takes the place of a field."""
    return {
        "at": START_S + at_s,
        "account": account,
        "attributes": {"plan": "free", "organization": "org_9", "address": "203.0.113.7"},
        "method": "POST",
        "path": "/v1/chat/completions",
        "headers": {"user-agent": "OpenAI/Python 2.1.0"},
        "body": {
            "model": "small",
            "messages": [{"role": "user", "content": "What is a quota?"}],
            "max_tokens": 100,
        },
        "response": {
            "status": 200,
            "usage": {"input_tokens": 8, "output_tokens": 40},
            "duration": 2.0,
        },
        **changed,
    }


def line(of: Mapping[str, Any]) -> str:
    return json.dumps(of) + "\n"


def write(path: Path, records: Iterable[Mapping[str, Any]]) -> Path:
    """As gzip if the name says so."""
    text = "".join(map(line, records)).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path
