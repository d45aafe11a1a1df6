"""What stands on each span, read from a summary. Values a caller chooses are cut to a length."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from gateway.decision.finished import Ending, Finished
from gateway.decision.outcome import Decision
from gateway.facts.exchange import RouteName
from gateway.telemetry import attributes as names
from gateway.telemetry.summary import Ruling, Summary, matched_policies

Value = str | int | float | bool | tuple[str, ...]
Attributes = Mapping[str, Value]

EVENT: Final = names.DECISION
LONGEST_TEXT = 256
"""Characters of a model's name or a user agent: longer than any honest one."""

_METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"}
)
_OPERATIONS: Mapping[str, str] = {
    RouteName.CHAT: "chat",
    RouteName.COMPLETIONS: "text_completion",
    RouteName.RESPONSES: "chat",
    RouteName.EMBEDDINGS: "embeddings",
    RouteName.MESSAGES: "chat",
    RouteName.GENERATE: "generate_content",
    RouteName.COUNT_TOKENS: "count_tokens",
    RouteName.MODELS: "list_models",
}
_ANONYMOUS = re.compile(r"key_[0-9a-f]{20}")
"""As `Secret.anonymous_account_id` makes them."""
_OUR_FAULT = frozenset(
    {Ending.UPSTREAM_FAILED, Ending.UPSTREAM_TRUNCATED, Ending.SHUT_DOWN, Ending.FAILED}
)
"""Endings that are failures even where the status was sent before and says 200."""
_SECOND_US = 1_000_000
_SERVER_ERROR = 500
_CLIENT_ERROR = 400


def server_name(finished: Finished) -> str:
    method = finished.method if finished.method in _METHODS else "HTTP"
    return f"{method} {finished.route.path}" if finished.route else method


def client_name(finished: Finished) -> str:
    model = finished.ask.model if finished.ask else None
    return f"{_operation(finished)} {_cut(model)}" if model else _operation(finished)


def server_failure(finished: Finished) -> str | None:
    """What failed, if we or the model API did; a refusal below 500 is no failure of ours."""
    status = finished.status
    if finished.ending not in _OUR_FAULT and (status is None or status < _SERVER_ERROR):
        return None
    if finished.refusal:
        return finished.refusal.kind.value
    return finished.upstream_error or (
        finished.ending.value if finished.ending in _OUR_FAULT else str(status)
    )


def client_failure(finished: Finished) -> str | None:
    if finished.upstream_error:
        return finished.upstream_error
    status = finished.upstream_status
    return str(status) if status is not None and status >= _CLIENT_ERROR else None


def server(summary: Summary, pseudonym: Callable[[str], str]) -> Attributes:
    finished = summary.finished
    principal, refusal = finished.principal, finished.refusal
    route, known_method = finished.route, finished.method in _METHODS
    return _present(
        {
            names.HTTP_REQUEST_METHOD: finished.method if known_method else "_OTHER",
            names.HTTP_RESPONSE_STATUS: finished.status,
            names.HTTP_ROUTE: route.path if route else None,
            names.URL_PATH: finished.path or None,
            names.URL_SCHEME: "http",
            names.CLIENT_ADDRESS: principal.client_address if principal else None,
            names.USER_AGENT: _cut(finished.user_agent),
            names.HTTP_RESEND_COUNT: finished.retry_count or None,
            names.ERROR_TYPE: server_failure(finished),
            names.ENDUSER: _pseudonym(principal.account.id, pseudonym) if principal else None,
            names.SESSION: _session(finished, pseudonym),
            names.REQUEST_ID: finished.request_id,
            names.ENDING: finished.ending.value,
            names.REFUSAL_KIND: refusal.kind.value if refusal else None,
            **_decision(summary),
            **_settlement(summary),
        }
    )


def client(finished: Finished, upstream: tuple[str, int] | None) -> Attributes:
    ask, settled = finished.ask, finished.settlement
    usage = settled.usage if settled else None
    return _present(
        {
            names.OPERATION: _operation(finished),
            names.PROVIDER: finished.dialect,
            names.HTTP_REQUEST_METHOD: finished.method if finished.method in _METHODS else "_OTHER",
            names.HTTP_RESPONSE_STATUS: finished.upstream_status,
            names.ERROR_TYPE: client_failure(finished),
            names.SERVER_ADDRESS: upstream[0] if upstream else None,
            names.SERVER_PORT: upstream[1] if upstream else None,
            names.REQUEST_MODEL: _cut(ask.model) if ask else None,
            names.REQUEST_MAX_TOKENS: ask.max_output_tokens if ask else None,
            names.REQUEST_STREAM: ask.stream if ask else None,
            names.REQUEST_CHOICES: ask.choices if ask and ask.choices != 1 else None,
            names.RESPONSE_MODEL: _cut(finished.upstream_model),
            names.RESPONSE_FINISH_REASONS: tuple(_cut(r) or "" for r in finished.finish_reasons)
            or None,
            names.RESPONSE_FIRST_CHUNK_S: _first_chunk_s(finished),
            names.UPSTREAM_REQUEST_ID: _cut(finished.upstream_request_id),
            names.USAGE_INPUT: usage.input_tokens if usage else None,
            names.USAGE_OUTPUT: usage.output_tokens if usage else None,
            names.USAGE_CACHE_READ: usage.cached_tokens if usage else None,
            names.USAGE_CACHE_CREATION: usage.cache_write_tokens if usage else None,
            names.USAGE_REASONING: usage.reasoning_tokens if usage else None,
        }
    )


def ruling(summary: Summary, ruled: Ruling) -> Attributes:
    """Of the event that one decisive rule is."""
    decision, charge, reading = summary.finished.decision, ruled.charge, ruled.reading
    settled = summary.finished.settlement
    charged = charge is not None and reading is not None and reading.charged
    return _present(
        {
            names.DECISION: ruled.word.value,
            names.REASON: ruled.reason,
            names.RULE_NAME: ruled.policy_id,
            names.RULE_DESCRIPTION: ruled.why,
            names.RULE_SET: "quotas",
            names.RULE_VERSION: decision.digest if decision else None,
            names.POLICY_MODE: "shadow" if ruled.shadow else "enforce",
            **_quota(ruled),
            names.RESERVED_AMOUNT: charge.amount if charge and charged else None,
            names.SETTLED_AMOUNT: settled.actual(charge)
            if settled and charge and charged
            else None,
        }
    )


def _decision(summary: Summary) -> dict[str, Value | None]:
    decision, estimate = summary.finished.decision, None
    if decision is not None:
        estimate = decision.estimate
    binding = summary.binding
    return {
        names.DECISION: summary.word.value,
        names.POLICIES: matched_policies(decision) if decision else None,
        names.OVERRIDDEN: _overridden(decision),
        **_behaviour(decision),
        names.POLICY: binding.policy_id if binding else None,
        names.REASON: binding.reason if binding else None,
        names.CONFIG_HASH: decision.digest if decision else None,
        names.STORE_STATE: decision.store.value if decision else None,
        names.ESTIMATE_INPUT: estimate.input_tokens if estimate else None,
        names.ESTIMATE_OUTPUT: estimate.output_tokens if estimate else None,
        names.ESTIMATE_DECLARED: estimate.declared if estimate else None,
        names.RESERVED_TOKENS: summary.reserved_tokens,
        **(_quota(binding) if binding else {}),
    }


def _behaviour(decision: Decision | None) -> dict[str, Value | None]:
    """Nothing where nothing is held against it."""
    standing = decision.standing if decision else None
    if standing is None or not standing.evidence:
        return {}
    groups = {one.group for one in standing.evidence if one.group is not None}
    return {
        names.BEHAVIOUR_RESPONSE: standing.response.word,
        names.BEHAVIOUR_SHADOW: standing.shadow.word,
        names.BEHAVIOUR_SCORE: round(standing.score, 1),
        names.BEHAVIOUR_RULES: tuple(dict.fromkeys(one.rule for one in standing.evidence)),
        names.BEHAVIOUR_FLEETS: tuple(f"{group:016x}" for group in sorted(groups)) or None,
    }


def _overridden(decision: Decision | None) -> tuple[str, ...] | None:
    if decision is None or not decision.overridden:
        return None
    return tuple(f"{one.policy_id} by {one.by}" for one in decision.overridden)


def _quota(ruled: Ruling) -> dict[str, Value | None]:
    if ruled.charge is None or ruled.reading is None:
        return {}
    retry_after_us = ruled.reading.retry_after_us
    return {
        names.QUOTA_UNIT: ruled.charge.limit.unit.value,
        names.QUOTA_LIMIT: ruled.charge.limit.amount,
        names.QUOTA_REMAINING: ruled.remaining,
        names.QUOTA_RESET_S: ruled.reading.full_after_us / _SECOND_US,
        names.RETRY_AFTER_S: retry_after_us / _SECOND_US if retry_after_us else None,
    }


def _settlement(summary: Summary) -> dict[str, Value | None]:
    settled = summary.finished.settlement
    if settled is None:
        return {}
    return {
        names.SETTLEMENT: settled.basis.value,
        names.SETTLED_INPUT: settled.input_tokens,
        names.SETTLED_OUTPUT: settled.output_tokens,
        names.USAGE_ABSURD: settled.usage.absurd or None,
    }


def _operation(finished: Finished) -> str:
    """That of a route which an operator declared is its own name."""
    name = finished.route.name if finished.route else RouteName.CHAT
    return _OPERATIONS.get(name, name)


def _first_chunk_s(finished: Finished) -> float | None:
    started_us, first_us = finished.upstream_started_at_us, finished.first_byte_at_us
    return None if started_us is None or first_us is None else (first_us - started_us) / _SECOND_US


def _pseudonym(account_id: str, pseudonym: Callable[[str], str]) -> str:
    """The account of an anonymous key is named by a keyed hash already."""
    return account_id if _ANONYMOUS.fullmatch(account_id) else pseudonym(account_id)


def _session(finished: Finished, pseudonym: Callable[[str], str]) -> str | None:
    """Two accounts that name a session alike share none."""
    ask, principal = finished.ask, finished.principal
    if ask is None or ask.session is None or principal is None:
        return None
    return pseudonym(f"session {principal.account.id} {ask.session}")


def _cut(text: str | None) -> str | None:
    return text[:LONGEST_TEXT] if text else None


def _present(values: Mapping[str, Value | None]) -> Attributes:
    return {name: value for name, value in values.items() if value is not None}
