"""What Prometheus scrapes. Labels come from closed lists or from the policy files, nothing else.

An account, a key, an address, a path or the name of a model never becomes a label: 3,000 accounts
would make 3,000 series. An ordinary request costs two or three updates of prometheus_client (the
histograms); what only counts is a dictionary here and becomes samples when somebody scrapes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from gateway.decision.finished import Finished
from gateway.decision.plan import NO_GAPS
from gateway.telemetry.summary import Summary, Word

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

_SECOND_US = 1_000_000
_DURATION_S = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
_OVERHEAD_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1)
_FIRST_CHUNK_S = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60)
_TOO_MANY = 429
_CLIENT_ERROR = 400
_SERVER_ERROR = 500


class Tally(Collector):
    """Counters of one name: a dictionary, read when somebody scrapes."""

    def __init__(
        self, name: str, meaning: str, labels: Sequence[str], registry: CollectorRegistry
    ) -> None:
        self._name, self._meaning, self._labels = name, meaning, labels
        self.counts: dict[tuple[str, ...], int] = {}
        registry.register(self)

    def add(self, *labels: str, amount: int = 1) -> None:
        self.counts[labels] = self.counts.get(labels, 0) + amount

    def total(self, **wanted: str) -> int:
        """The sum over all series that have these labels."""
        at = [(self._labels.index(label), value) for label, value in wanted.items()]
        return sum(
            count
            for labels, count in self.counts.items()
            if all(labels[i] == value for i, value in at)
        )

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(self._name, self._meaning, labels=self._labels)
        for labels, count in list(self.counts.items()):
            family.add_metric(labels, count)
        yield family


class _OpenReservations(Collector):
    """No sample until somebody has counted: 0 would be a claim."""

    def __init__(self) -> None:
        self.count: int | None = None

    def collect(self) -> Iterable[Metric]:
        if self.count is not None:
            yield GaugeMetricFamily(
                "gateway_reservations_open",
                "Exchanges whose charges are reserved and not settled, in the whole store.",
                self.count,
            )


@dataclass(frozen=True, slots=True)
class Totals:
    """Since the process began, for people."""

    in_flight: int
    allowed: int
    refused: int
    unjudged: int
    failed: int
    """Answers of 500 and above, our own or passed on."""
    input_tokens: int
    output_tokens: int


class Metrics:
    """A registry of its own, so that two gateways in one process do not mix."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.in_flight = 0
        self._requests = Tally(
            "gateway_requests",
            "Exchanges that have ended.",
            ("route", "decision", "status_class"),
            registry,
        )
        self._decisions = Tally(
            "gateway_decisions",
            "What each decisive policy said; the binding one of every exchange.",
            ("policy", "decision", "mode"),
            registry,
        )
        self._condition_failures = Tally(
            "gateway_condition_failures",
            "Requests for which a policy's condition failed; the policy then applies.",
            ("policy",),
            registry,
        )
        self._missing_partitions = Tally(
            "gateway_partition_missing",
            "Requests without a fact that a policy counts by; its `missing` says what then holds.",
            ("policy",),
            registry,
        )
        self._tokens = Tally(
            "gateway_tokens", "Tokens that were settled.", ("route", "direction"), registry
        )
        self._settlements = Tally(
            "gateway_settlements", "Settlements by what they rest on.", ("basis",), registry
        )
        self._absurd_usage = Tally(
            "gateway_usage_absurd",
            "Answers that told a count which cannot be one; it was estimated in its place.",
            ("route",),
            registry,
        )
        self._settlement_failures = Tally(
            "gateway_settlement_failures",
            "Settlements that the store did not take; what was reserved stays charged.",
            ("kind",),
            registry,
        )
        self._store_errors = Tally(
            "gateway_store_errors",
            "Times the store failed when it was asked, by how.",
            ("kind",),
            registry,
        )
        self._upstream_errors = Tally(
            "gateway_upstream_errors",
            "Calls to the model API that failed, by how; its own 429 is not our refusal.",
            ("kind",),
            registry,
        )
        self._telemetry_errors = Tally(
            "gateway_telemetry_errors",
            "Exchanges that one of the writers of telemetry could not record.",
            ("writer",),
            registry,
        )
        self._durations = _ByRoute(
            "gateway_request_duration_seconds",
            "From the first byte of the request to the end of the answer.",
            _DURATION_S,
            registry,
        )
        self._first_chunks = _ByRoute(
            "gateway_time_to_first_chunk_seconds",
            "From the call of the model API to the first byte passed on.",
            _FIRST_CHUNK_S,
            registry,
        )
        self._overhead = Histogram(
            "gateway_overhead_seconds",
            "Duration without the call of the model API. Reading a slow client's body counts.",
            buckets=_OVERHEAD_S,
            registry=registry,
        )
        self._config = Gauge(
            "gateway_config_info", "The policies in force.", ("hash",), registry=registry
        )
        self._store_state = Gauge(
            "gateway_store_state",
            "1 for how the store is: ok, degraded (it is away, and quotas hold without it), "
            "unavailable.",
            ("state",),
            registry=registry,
        )
        self._reload_failures = Tally(
            "gateway_config_reload_failures",
            "Readings of what operators wrote that were refused; what was in force stays.",
            ("what",),
            registry,
        )
        self._recorded = Tally("gateway_recorded_lines", "Lines of --record written.", (), registry)
        self._record_losses = Tally(
            "gateway_record_lost_lines",
            "Lines of --record that were lost: queue (the disk is too slow), size (one was too "
            "long), stop.",
            ("why",),
            registry,
        )
        self._reservations = _OpenReservations()
        registry.register(self._reservations)
        Gauge(
            "gateway_inflight", "Exchanges that have begun and not ended.", registry=registry
        ).set_function(lambda: self.in_flight)

    def record(self, summary: Summary) -> None:
        finished, route = summary.finished, summary.route
        self._requests.add(route, summary.word.value, summary.status_class)
        for ruling in summary.rulings:
            mode = "shadow" if ruling.shadow else "enforce"
            self._decisions.add(ruling.policy_id, ruling.word.value, mode)
        decision = finished.decision
        if decision is not None and decision.gaps is not NO_GAPS:
            for policy_id in decision.gaps.conditions:
                self._condition_failures.add(policy_id)
            for policy_id in decision.gaps.partitions:
                self._missing_partitions.add(policy_id)
        settled = finished.settlement
        if settled:
            self._settlements.add(settled.basis.value)
            self._tokens.add(route, "input", amount=settled.input_tokens)
            self._tokens.add(route, "output", amount=settled.output_tokens)
            if settled.usage.absurd:
                self._absurd_usage.add(route)
        if (failure := _upstream_failure(finished)) is not None:
            self._upstream_errors.add(failure)
        self._observe(summary, route)

    def policies_in_force(self, digest: str) -> None:
        self._config.clear()
        self._config.labels(hash=digest).set(1)

    def can_be_reloaded(self, what: str) -> None:
        """Its failures are told from 0 on, so that the first is seen as an increase."""
        self._reload_failures.add(what, amount=0)

    def reload_failed(self, what: str) -> None:
        self._reload_failures.add(what)

    def reservations_open(self, count: int | None) -> None:
        """None: nobody knows."""
        self._reservations.count = count

    def store_failed(self, kind: str) -> None:
        """`kind` is that of `StoreUnavailable`."""
        self._store_errors.add(kind)

    def store_is(self, state: str) -> None:
        """`ok`, `degraded` (quotas hold without it) or `unavailable`."""
        self._store_state.clear()
        self._store_state.labels(state=state).set(1)

    def settlement_failed(self, kind: str) -> None:
        """`kind` is that of `StoreUnavailable`."""
        self._settlement_failures.add(kind)

    def lines_recorded(self, count: int) -> None:
        self._recorded.add(amount=count)

    def lines_lost(self, why: str, count: int) -> None:
        self._record_losses.add(why, amount=count)

    def telemetry_failed(self, writer: str) -> int:
        """How often by now."""
        self._telemetry_errors.add(writer)
        return self._telemetry_errors.total(writer=writer)

    def totals(self) -> Totals:
        return Totals(
            in_flight=self.in_flight,
            allowed=self._requests.total(decision=Word.ALLOW),
            refused=self._requests.total(decision=Word.THROTTLE)
            + self._requests.total(decision=Word.DENY),
            unjudged=self._requests.total(decision=Word.UNJUDGED),
            failed=self._requests.total(status_class="5xx"),
            input_tokens=self._tokens.total(direction="input"),
            output_tokens=self._tokens.total(direction="output"),
        )

    def text(self) -> bytes:
        """In `CONTENT_TYPE`."""
        return generate_latest(self.registry)

    def _observe(self, summary: Summary, route: str) -> None:
        finished = summary.finished
        duration_us, upstream_us = finished.duration_us, summary.upstream_us
        self._durations[route].observe(duration_us / _SECOND_US)
        self._overhead.observe(max(0, duration_us - upstream_us) / _SECOND_US)
        first_chunks = self._first_chunks[route]  # from a route's first exchange on, be it with 0
        called_us, first_us = finished.upstream_started_at_us, finished.first_byte_at_us
        if called_us is not None and first_us is not None:
            first_chunks.observe((first_us - called_us) / _SECOND_US)


class _ByRoute(dict[str, Histogram]):
    """One histogram for each route that was ever called, looked up once.

    Names of routes come from our own list and from the policy files.
    """

    def __init__(
        self, name: str, meaning: str, buckets: Sequence[float], registry: CollectorRegistry
    ) -> None:
        super().__init__()
        self._all = Histogram(name, meaning, ("route",), buckets=buckets, registry=registry)

    def __missing__(self, route: str) -> Histogram:
        self[route] = self._all.labels(route)
        return self[route]


def _upstream_failure(finished: Finished) -> str | None:
    if finished.upstream_error:
        return finished.upstream_error
    status = finished.upstream_status
    if status is None or status < _CLIENT_ERROR:
        return None
    if status == _TOO_MANY:
        return "http_429"
    return "http_5xx" if status >= _SERVER_ERROR else "http_4xx"
