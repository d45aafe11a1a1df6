"""The traffic of a scenario as records, in the order of time."""

import random
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from gateway.policy.quota import SECOND_US
from gateway.policy.scenario import Scenario, TrafficEntry
from gateway.policy.scenario_values import OnePer
from gateway.replay.record import Attribute, Record, RecordedAnswer, RecordedUsage
from gateway.scenarios.prompts import Prompts

_DAY_S = 86_400
_PATHS = {
    "chat": "/v1/chat/completions",
    "completions": "/v1/completions",
    "responses": "/v1/responses",
    "messages": "/v1/messages",
    "embeddings": "/v1/embeddings",
}
_CEILINGS = {"responses": "max_output_tokens"}
"""What the ceiling is called in a body, where it is not `max_tokens`."""

_encode = msgspec.json.Encoder().encode


class Arrival(NamedTuple):
    """One request that is about to be sent."""

    at_us: int
    entry: int
    account: int
    """Of the entry, from 0."""
    record: Record


def arrivals(scenario: Scenario) -> Iterator[Arrival]:
    """All requests in the order in which they come. The same scenario always gives the same."""
    moments = [
        moment
        for at, entry in enumerate(scenario.traffic)
        for moment in _moments(scenario, at, entry)
    ]
    moments.sort()
    senders = [_Sender(scenario, at) for at in range(len(scenario.traffic))]
    for at_us, entry, account in moments:
        yield Arrival(at_us, entry, account, senders[entry].record(at_us, account))


def _moments(scenario: Scenario, at: int, entry: TrafficEntry) -> Iterator[tuple[int, int, int]]:
    begins_us = scenario.begins_us + (entry.after_us or 0)
    of_one, accounts = entry.requests_each, entry.accounts
    if entry.arrivals == "random":
        draw = random.Random(f"{scenario.seed}/{scenario.name_of(at)}")  # noqa: S311  variety
        for account in range(accounts):
            for _ in range(of_one):
                yield begins_us + int(draw.random() * entry.lasts_us), at, account
        return
    window_us, amount = entry.each.window_us, entry.each.amount
    for account in range(accounts):
        late_us = window_us * account // (amount * accounts)  # nobody asks in step with another
        for number in range(of_one):
            yield begins_us + late_us + window_us * number // amount, at, account


class _Sender:
    """What the requests of one entry look like."""

    def __init__(self, scenario: Scenario, at: int) -> None:
        self._entry = entry = scenario.traffic[at]
        self._name = scenario.name_of(at)
        self._begins_s = scenario.begins_us // SECOND_US
        self._prompts = Prompts(entry.prompt, f"{scenario.seed}/{self._name}/prompts")
        self._headers = {"user-agent": entry.user_agent} if entry.user_agent else {}
        self._sent: Counter[int] = Counter()
        """By each account, if it has sessions."""
        self._attributes: dict[int, dict[str, Attribute]] = {}
        ceiling = entry.max_tokens
        self._answer = RecordedAnswer(
            usage=RecordedUsage(
                input_tokens=entry.input_tokens,
                output_tokens=_output_tokens(entry, ceiling),
            ),
            duration=entry.duration_us / SECOND_US,
        )
        self._fixed = dict(entry.body) | {"model": entry.model}
        if entry.stream:
            self._fixed["stream"] = True
        if ceiling is not None and entry.route != "embeddings":
            self._fixed[_CEILINGS.get(entry.route, "max_tokens")] = ceiling

    def record(self, at_us: int, account: int) -> Record:
        return Record(
            at=at_us / SECOND_US,
            account=account_name(self._name, account),
            path=_PATHS[self._entry.route],
            attributes=self._of_account(account),
            headers=self._headers_of(account),
            body=msgspec.Raw(_encode(self._fixed | self._asked())),
            response=self._answer,
        )

    def _asked(self) -> dict[str, object]:
        prompt = self._prompts.next()
        match self._entry.route:
            case "chat" | "messages":
                return {"messages": [{"role": "user", "content": prompt}]}
            case "completions":
                return {"prompt": prompt}
            case _:
                return {"input": prompt}

    def _headers_of(self, account: int) -> dict[str, str]:
        session = self._entry.session
        if session is None:
            return self._headers
        said = session.name
        if said is None:
            number = self._sent[account] // session.requests if session.requests else 0
            self._sent[account] += 1
            said = f"{account_name(self._name, account)}-session-{number + 1}"
        return self._headers | {"x-session-id": said}

    def _of_account(self, account: int) -> dict[str, Attribute]:
        found = self._attributes.get(account)
        if found is None:
            found = self._attributes[account] = dict(self._made(account))
        return found

    def _made(self, account: int) -> Iterator[tuple[str, Attribute]]:
        for key, value in self._entry.attributes.items():
            if isinstance(value, OnePer):
                yield key, account_name(f"{self._name}-{key}", account // value.accounts)
            elif key == "age_days" and isinstance(value, int):
                yield "created_at", self._begins_s - value * _DAY_S
            else:
                yield key, list(value) if isinstance(value, tuple) else value


def account_name(entry: str, account: int) -> str:
    return f"{entry}-{account + 1}"


def _output_tokens(entry: TrafficEntry, ceiling: int | None) -> int:
    if entry.route == "embeddings":
        return 0
    return entry.output_tokens if ceiling is None else min(entry.output_tokens, ceiling)
