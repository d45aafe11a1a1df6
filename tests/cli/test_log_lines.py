import json
import logging
import sys

from gateway.cli.log_lines import AsJson, ForTerminal


def record(
    message: str, *args: object, name: str = "gateway.proxy", **extra: object
) -> logging.LogRecord:
    logger = logging.getLogger(name)
    return logger.makeRecord(name, logging.WARNING, "", 0, message, args, None, extra=extra)


def test_a_line_is_one_json_object() -> None:
    line = AsJson().format(record("the store is\n%s", "away", kind="timeout"))
    told = json.loads(line)
    assert "\n" not in line
    assert told["level"] == "warning"
    assert told["logger"] == "gateway.proxy"
    assert told["message"] == "the store is\naway"
    assert told["kind"] == "timeout"


def test_a_value_that_is_no_json_is_written_as_text() -> None:
    assert json.loads(AsJson().format(record("x", error=ValueError("odd"))))["error"] == "odd"


def test_a_decision_is_not_wrapped_in_quotes() -> None:
    line = AsJson().format(record('{"status":429}', name="gateway.decisions"))
    assert json.loads(line)["decision"] == {"status": 429}


def test_an_operator_s_deed_is_not_wrapped_in_quotes() -> None:
    line = AsJson().format(record('{"what":"block"}', name="gateway.audit"))
    assert json.loads(line)["deed"] == {"what": "block"}


def test_on_a_terminal_a_decision_is_a_few_words() -> None:
    decision = {"status": 429, "decision": "throttle", "account": "acme", "request_id": "req_1"}
    line = ForTerminal().format(record(json.dumps(decision), name="gateway.decisions"))
    assert line.endswith(" throttle 429 acme")


def test_an_exception_keeps_its_trace() -> None:
    failed = record("failed")
    try:
        json.loads("{")
    except ValueError:
        failed.exc_info = sys.exc_info()
    assert "JSONDecodeError: " in json.loads(AsJson().format(failed))["exception"]
    assert "JSONDecodeError: " in ForTerminal().format(failed)
