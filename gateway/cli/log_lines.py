"""Log lines on standard error: short ones for eyes on a terminal, JSON for everything else."""

import logging
import time
from typing import Any

import msgspec

QUIET = ("uvicorn", "httpx", "httpcore", "asyncio", "opentelemetry")
"""What these say below a warning is about their own work, not about an operator's."""

DECISIONS = "gateway.decisions"
"""Its messages are JSON already: `telemetry.decision_log`."""

AUDIT = "gateway.audit"
"""So are these: `console.audit`."""

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "color_message",
}


def log_to_stderr(*, terminal: bool, quiet: bool = False) -> None:
    """`quiet`: only what went wrong, where something else tells the story."""
    handler = logging.StreamHandler()
    handler.setFormatter(ForTerminal() if terminal else AsJson())
    logging.basicConfig(
        level=logging.WARNING if quiet else logging.INFO, handlers=[handler], force=True
    )
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


class AsJson(logging.Formatter):
    """One object a line: time, level, logger, message, and whatever `extra` carried."""

    def format(self, record: logging.LogRecord) -> str:
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        fields: dict[str, Any] = {
            "time": f"{seconds}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            **_message(record),
            **_extra(record),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(fields, enc_hook=str).decode()


class ForTerminal(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        extra = "".join(f" {name}={value}" for name, value in _extra(record).items())
        told = _in_short(record) if record.name == DECISIONS else record.getMessage()
        line = f"{clock} {record.levelname.lower():<7} {told}{extra}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _message(record: logging.LogRecord) -> dict[str, Any]:
    if record.name == DECISIONS:
        return {"message": "decision", "decision": msgspec.Raw(record.getMessage().encode())}
    if record.name == AUDIT:
        return {"message": "audit", "deed": msgspec.Raw(record.getMessage().encode())}
    return {"message": record.getMessage()}


def _in_short(record: logging.LogRecord) -> str:
    decision = msgspec.json.decode(record.getMessage(), type=dict[str, Any])
    shown = ("decision", "status", "route", "model", "account", "policy", "refusal", "why")
    return " ".join(str(decision[name]) for name in shown if decision.get(name) is not None)


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _OWN}
