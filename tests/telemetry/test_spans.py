"""The span tree as a collector receives it: real protobuf, over loopback."""

from dataclasses import replace
from typing import Any

import pytest

from gateway import __version__
from gateway.behaviour.score import Evidence
from gateway.behaviour.standing import Standing
from gateway.decision.finished import Ending, Finished
from gateway.decision.plan import Estimate, Overridden
from gateway.decision.settlement import Delivered, settlement
from gateway.facts.exchange import Ask
from gateway.facts.principal import Account, Principal
from gateway.facts.refusal import Refusal, RefusalKind
from gateway.facts.usage import UNREPORTED, Usage
from gateway.policy.behaviour import Rung
from gateway.telemetry import Telemetry
from gateway.telemetry import attributes as names
from gateway.telemetry.spans import REFUSALS_PER_S
from gateway.telemetry.trace_context import Headers
from tests.parts.otlp_receiver import OtlpReceiver, ReceivedSpan
from tests.parts.values import MODELS
from tests.telemetry import exchanges

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CALLER: Headers = [(b"traceparent", f"00-{TRACE}-{SPAN}-01".encode())]


class Told:
    """A telemetry and the collector it tells."""

    def __init__(self, collector: OtlpReceiver, environ: dict[str, str]) -> None:
        self._collector, self._environ = collector, environ

    async def spans(
        self, *told: Finished, headers: Headers | None = None, trusted: bool = False
    ) -> list[ReceivedSpan]:
        telemetry = Telemetry.from_environment(
            self._environ,
            pseudonym=exchanges.SECRET.pseudonym,
            trust_traceparent=trusted,
            upstreams={"": ("model.example", 8000)},
        )
        self.sent: list[Headers] = []
        for finished in told:
            trace = telemetry.begin(headers or [], finished.started_at_us)
            self.sent.append(trace.upstream_headers())
            telemetry.finish(trace, finished)
        await telemetry.shutdown(10)
        return self._collector.arrived

    async def server_span(self, finished: Finished) -> ReceivedSpan:
        (span,) = [span for span in await self.spans(finished) if span.kind == "SERVER"]
        return span

    async def client_span(self, finished: Finished) -> ReceivedSpan:
        (span,) = [span for span in await self.spans(finished) if span.kind == "CLIENT"]
        return span


@pytest.fixture
def told(collector: OtlpReceiver, exporting_environ: dict[str, str]) -> Told:
    return Told(collector, exporting_environ)


async def test_an_answered_exchange_is_a_server_span_with_a_child_for_the_model(told: Told) -> None:
    client, server = await told.spans(exchanges.answered())
    assert (server.kind, server.name) == ("SERVER", "POST /v1/chat/completions")
    assert (client.kind, client.name) == ("CLIENT", "chat small")
    assert client.trace_id == server.trace_id
    assert client.parent_id == server.span_id
    assert server.parent_id == ""
    assert (server.start_ns, server.end_ns) == (
        exchanges.BEGAN_US * 1000,
        (exchanges.BEGAN_US + 2_000_000) * 1000,
    )
    assert server.start_ns < client.start_ns < client.end_ns < server.end_ns
    assert not server.failed
    assert not client.failed
    assert server.resource["service.name"] == "gauger"
    assert server.resource["deployment.environment.name"] == "test"


async def test_the_server_span_holds_the_request_and_the_decision(told: Told) -> None:
    span = await told.server_span(exchanges.answered(retry_count=2))
    assert span.attributes == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "http.route": "/v1/chat/completions",
        "http.request.resend_count": 2,
        "url.path": "/v1/chat/completions",
        "url.scheme": "http",
        "client.address": "192.0.2.1",
        "user_agent.original": "OpenAI/Python 3.3.0",
        "enduser.pseudo.id": exchanges.SECRET.pseudonym("acct_1"),
        "gateway.request_id": "req_1",
        "gateway.ending": "completed",
        "gateway.decision": "allow",
        "gateway.policies": ["requests-per-minute", "tokens-per-day"],
        "gateway.policy": "tokens-per-day",
        "gateway.config_hash": exchanges.DIGEST,
        "gateway.store.state": "ok",
        "gateway.quota.unit": "tokens",
        "gateway.quota.limit": 2_000,
        "gateway.quota.remaining": 500,
        "gateway.quota.reset_s": 30.0,
        "gateway.estimate.input_tokens": 10,
        "gateway.estimate.output_tokens": 100,
        "gateway.estimate.declared": True,
        "gateway.reservation.tokens": 110,
        "gateway.settlement": "reported",
        "gateway.settlement.input_tokens": 12,
        "gateway.settlement.output_tokens": 34,
    }


async def test_the_client_span_holds_the_call_of_the_model(told: Told) -> None:
    span = await told.client_span(exchanges.answered())
    assert span.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "small",
        "gen_ai.request.max_tokens": 100,
        "gen_ai.request.stream": True,
        "gen_ai.response.model": "small-2026",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.response.time_to_first_chunk": 0.5,
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 34,
        "gen_ai.usage.cache_read.input_tokens": 5,
        "gen_ai.usage.reasoning.output_tokens": 8,
        "gateway.upstream.request_id": "up_1",
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "server.address": "model.example",
        "server.port": 8000,
    }


async def test_an_allowed_exchange_has_one_event_for_the_rule_that_bound(told: Told) -> None:
    (event,) = (await told.server_span(exchanges.answered())).events
    assert event.name == "gateway.decision"
    assert event.at_ns == (exchanges.BEGAN_US + 4_000) * 1000
    assert event.attributes == {
        "gateway.decision": "allow",
        "security_rule.name": "tokens-per-day",
        "security_rule.ruleset.name": "quotas",
        "security_rule.version": exchanges.DIGEST,
        "gateway.policy.mode": "enforce",
        "gateway.quota.unit": "tokens",
        "gateway.quota.limit": 2_000,
        "gateway.quota.remaining": 500,
        "gateway.quota.reset_s": 30.0,
        "gateway.reservation.amount": 110,
        "gateway.settlement.amount": 46,
    }


async def test_a_refusal_says_by_which_rule_and_why_and_calls_no_model(told: Told) -> None:
    (server,) = await told.spans(exchanges.refused())
    assert server.attributes["gateway.decision"] == "throttle"
    assert server.attributes["gateway.refusal.kind"] == "rate"
    assert server.attributes["gateway.policy"] == "requests-per-minute"
    assert server.attributes["gateway.quota.remaining"] == 0
    assert server.attributes["gateway.quota.retry_after_s"] == 7.0
    assert "gateway.reservation.tokens" not in server.attributes
    assert not server.failed
    (event,) = server.events
    assert event.attributes["security_rule.description"] == "The why of requests-per-minute."
    assert event.attributes["gateway.reason"] == "quota_exceeded"
    assert "gateway.reservation.amount" not in event.attributes


async def test_a_shadow_quota_that_would_have_refused_is_an_event(told: Told) -> None:
    bound, shadow = (await told.server_span(exchanges.answered(exchanges.shadowed()))).events
    assert bound.attributes["gateway.decision"] == "allow"
    assert shadow.attributes["gateway.decision"] == "shadow_deny"
    assert shadow.attributes["gateway.policy.mode"] == "shadow"
    assert shadow.attributes["gateway.reason"] == "would_refuse"
    assert "gateway.reservation.amount" not in shadow.attributes


async def test_an_unanswering_store_is_a_failure_of_ours(told: Told) -> None:
    server = await told.server_span(exchanges.without_store())
    assert server.failed
    assert server.attributes["error.type"] == "store_unavailable"
    assert server.attributes["gateway.store.state"] == "unavailable"
    assert server.events[0].attributes["security_rule.name"] == "store"


@pytest.mark.parametrize(
    ("changes", "server_error", "client_error"),
    [
        ({"upstream_status": 429, "status": 429}, None, "429"),
        ({"upstream_status": 500, "status": 500}, "500", "500"),
        (
            {"upstream_error": "truncated", "ending": Ending.UPSTREAM_TRUNCATED},
            "truncated",
            "truncated",
        ),
        (
            {
                "upstream_error": "unreachable",
                "upstream_status": None,
                "status": 502,
                "ending": Ending.UPSTREAM_FAILED,
                "refusal": Refusal(RefusalKind.UPSTREAM_UNREACHABLE, "No."),
            },
            "upstream_unreachable",
            "unreachable",
        ),
        ({"ending": Ending.CLIENT_LEFT, "status": None}, None, None),
        ({"ending": Ending.SHUT_DOWN}, "shut_down", None),
        ({"ending": Ending.FAILED}, "failed", None),
    ],
)
async def test_a_failure_marks_the_span_of_whoever_failed(
    told: Told, changes: dict[str, Any], server_error: str | None, client_error: str | None
) -> None:
    client, server = await told.spans(exchanges.answered(**changes))
    for span, error in ((server, server_error), (client, client_error)):
        assert span.failed == (error is not None)
        assert span.failure == (error or "")
        assert span.attributes.get("error.type") == error


async def test_what_the_model_api_did_describes_the_spans_of_its_failure(told: Told) -> None:
    failed = exchanges.answered(
        upstream_error="unreachable",
        upstream_fault="api:443 closed without an answer.",
        upstream_status=None,
        status=502,
        ending=Ending.UPSTREAM_FAILED,
    )
    for span in await told.spans(failed):
        assert span.failure == "api:443 closed without an answer."
        assert span.attributes["error.type"] == "unreachable"


async def test_an_estimated_settlement_says_so_and_reports_no_usage(told: Told) -> None:
    settled = settlement(
        Estimate(10, 100, declared=True), UNREPORTED, Delivered(began=True, output_tokens=7)
    )
    client, server = await told.spans(exchanges.answered(settlement=settled))
    assert server.attributes["gateway.settlement"] == "delivered"
    assert server.attributes["gateway.settlement.output_tokens"] == 7
    assert "gen_ai.usage.output_tokens" not in client.attributes


async def test_a_count_that_cannot_be_one_is_told(told: Told) -> None:
    for usage, shown in ((Usage(3, absurd=True), True), (Usage(3), None)):
        settled = settlement(Estimate(10, 100, declared=True), usage, Delivered(began=True))
        server = (await told.spans(exchanges.answered(settlement=settled)))[-1]
        assert server.attributes.get("gateway.usage.absurd") is shown


async def test_an_unknown_route_shows_neither_its_path_nor_its_method(told: Told) -> None:
    server = await told.server_span(
        exchanges.rejected(
            RefusalKind.UNKNOWN_ROUTE, route=None, path="", method="SK-SECRET", status=404
        )
    )
    assert server.name == "HTTP"
    assert server.attributes["http.request.method"] == "_OTHER"
    assert "url.path" not in server.attributes
    assert "SK-SECRET" not in str(server)
    assert server.attributes["gateway.decision"] == "unjudged"


async def test_a_route_without_a_model_is_named_by_its_operation(told: Told) -> None:
    finished = exchanges.answered(route=MODELS, ask=Ask(None), method="GET", path="/v1/models")
    client, server = await told.spans(finished)
    assert (client.name, server.name) == ("list_models", "GET /v1/models")


async def test_an_anonymous_account_is_a_pseudonym_already(told: Told) -> None:
    account = exchanges.SECRET.anonymous_account_id("sk-1")
    server = await told.server_span(exchanges.answered(principal=Principal(Account(account))))
    assert server.attributes[names.ENDUSER] == account


async def test_what_a_caller_may_write_is_cut(told: Told) -> None:
    finished = exchanges.answered(ask=Ask("m" * 9_000), user_agent="u" * 9_000)
    client, server = await told.spans(finished)
    assert len(str(client.attributes["gen_ai.request.model"])) == 256
    assert len(str(server.attributes["user_agent.original"])) == 256
    assert len(client.name) < 300


async def test_the_span_that_upstream_was_told_is_the_child(told: Told) -> None:
    client, server = await told.spans(exchanges.answered(), headers=CALLER)
    assert told.sent == [[(b"traceparent", f"00-{client.trace_id}-{client.span_id}-01".encode())]]
    assert server.links == [(TRACE, SPAN)]
    assert server.parent_id == ""


async def test_a_trusted_caller_is_the_parent_of_the_tree(told: Told) -> None:
    client, server = await told.spans(exchanges.answered(), headers=CALLER, trusted=True)
    assert {client.trace_id, server.trace_id} == {TRACE}
    assert server.parent_id == SPAN
    assert server.links == []


async def test_what_the_sampler_leaves_out_is_not_exported_but_refusals_are(
    collector: OtlpReceiver, exporting_environ: dict[str, str]
) -> None:
    environ = exporting_environ | {
        "OTEL_TRACES_SAMPLER": "traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": "0",
    }
    spans = await Told(collector, environ).spans(exchanges.answered(), exchanges.refused())
    assert [span.attributes["gateway.decision"] for span in spans] == ["throttle"]


async def test_a_flood_of_refusals_is_recorded_in_part(
    collector: OtlpReceiver, exporting_environ: dict[str, str]
) -> None:
    environ = exporting_environ | {
        "OTEL_TRACES_SAMPLER": "traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": "0",
    }
    later = replace(exchanges.refused(), ended_at_us=exchanges.BEGAN_US + 1_500_000)
    flood = [exchanges.refused()] * (REFUSALS_PER_S + 30)
    assert len(await Told(collector, environ).spans(*flood, later)) == REFUSALS_PER_S + 1


async def test_the_scope_names_us(told: Told, collector: OtlpReceiver) -> None:
    await told.spans(exchanges.answered())
    assert b"gauger" in collector.bodies[0]
    assert __version__.encode() in collector.bodies[0]


async def test_a_session_is_a_pseudonym_within_its_account(told: Told) -> None:
    ask = replace(exchanges.ASK, session="night-run")
    accounts = (Principal(Account("a")), Principal(Account("b")), Principal(Account("a")))
    ended = [exchanges.answered(ask=ask, principal=principal) for principal in accounts]
    spans = [span for span in await told.spans(*ended) if span.kind == "SERVER"]
    one, other, again = (str(span.attributes[names.SESSION]) for span in spans)
    assert one == again != other
    assert "night" not in one
    assert len(one) == 20


async def test_an_exchange_without_a_session_says_nothing_of_one(told: Told) -> None:
    assert names.SESSION not in (await told.server_span(exchanges.answered())).attributes


async def test_a_trace_tells_what_was_overridden_by_what(told: Told) -> None:
    decision = replace(exchanges.allowing(), overridden=(Overridden("everybody", "batch"),))
    span = await told.server_span(exchanges.answered(decision))
    assert span.attributes[names.OVERRIDDEN] == ["everybody by batch"]


async def test_a_trace_tells_what_behaviour_policies_held_against_it(told: Told) -> None:
    evidence = Evidence("shared-frame", "why", 45, 0, 0, group=0xABC)
    standing = Standing(Rung.THROTTLE, Rung.THROTTLE, 45.04, evidence=(evidence,))
    decision = replace(exchanges.allowing(), standing=standing)
    span = await told.server_span(exchanges.answered(decision))
    assert span.attributes[names.BEHAVIOUR_RESPONSE] == "throttle"
    assert span.attributes[names.BEHAVIOUR_SCORE] == 45.0
    assert span.attributes[names.BEHAVIOUR_RULES] == ["shared-frame"]
    assert span.attributes[names.BEHAVIOUR_FLEETS] == ["0000000000000abc"]
