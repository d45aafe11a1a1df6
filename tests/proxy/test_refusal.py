import pytest

from gateway import errors
from gateway.decision.judge import judge
from gateway.decision.outcome import Decision
from gateway.decision.plan import Plan
from gateway.decision.port import Reading, Reserved, StoreState
from gateway.facts.principal import Account, Principal
from gateway.facts.refusal import RefusalKind
from gateway.policy.quota import Mode
from gateway.proxy.refusal import by_caller, by_upstream, own_headers
from tests.parts.values import ESTIMATE, charge, limit, quota


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.MalformedRequest("m", field="n"), RefusalKind.MALFORMED),
        (errors.Unidentified("m", field="n"), RefusalKind.NO_CREDENTIAL),
        (errors.UnknownCredential("m", field="n"), RefusalKind.BAD_CREDENTIAL),
        (errors.UnknownRoute("m", field="n"), RefusalKind.UNKNOWN_ROUTE),
        (errors.BodyTooLarge("m", field="n"), RefusalKind.BODY_TOO_LARGE),
    ],
)
def test_each_fault_of_the_callers_has_its_kind(
    error: errors.CallerError, kind: RefusalKind
) -> None:
    refusal = by_caller(error)
    assert (refusal.kind, refusal.message, refusal.field) == (kind, "m", "n")


def test_a_wrong_method_tells_the_right_ones() -> None:
    refusal = by_caller(errors.MethodNotAllowed("m", allowed="POST"))
    assert (refusal.kind, refusal.allow) == (RefusalKind.METHOD_NOT_ALLOWED, "POST")


@pytest.mark.parametrize("begun", [False, True])
def test_the_words_of_an_upstreams_error_stay_with_the_operator(*, begun: bool) -> None:
    error = errors.UpstreamUnreachable("10.1.2.3:8000 refused", sent=False)
    refusal = by_upstream(error, begun=begun)
    assert refusal.kind is RefusalKind.UPSTREAM_UNREACHABLE
    assert "10.1.2.3" not in refusal.message


def test_each_failure_before_an_answer_has_words_of_its_own() -> None:
    kinds = (
        errors.UpstreamUnreachable,
        errors.UpstreamProtocolError,
        errors.UpstreamRedirected,
        errors.UpstreamTimeout,
    )
    told = {by_upstream(kind("m", sent=True), begun=False).message for kind in kinds}
    assert len(told) == len(kinds)


def test_a_redirect_is_told_with_what_cures_it() -> None:
    refusal = by_upstream(errors.UpstreamRedirected("m", sent=True), begun=False)
    assert refusal.kind is RefusalKind.UPSTREAM_UNREACHABLE
    assert "redirects" in refusal.message
    assert "final address" in refusal.message


def test_a_late_answer_is_told_apart() -> None:
    refusal = by_upstream(errors.UpstreamTimeout("m", sent=True), begun=False)
    assert refusal.kind is RefusalKind.UPSTREAM_TIMEOUT


def shadowed(state: StoreState = StoreState.OK) -> Decision:
    """Two limits of one quota in shadow mode, and a quota that lacks something, would refuse."""
    narrow = quota(limit(1, quota_id="narrow"), mode=Mode.SHADOW)
    lacking = quota(limit(1, quota_id="lacking"), mode=Mode.SHADOW)
    charges = tuple(charge(narrow.limits[0], shadow=True) for _ in range(2))
    over = Reading(1, fits=False, charged=False, retry_after_us=5, full_after_us=5)
    plan = Plan(charges, ESTIMATE, "digest", would_refuse=(lacking,))
    reserved = Reserved(admitted=True, at_us=1, readings=(over, over), state=state)
    return judge(plan, reserved, {"narrow": narrow, "lacking": lacking})


@pytest.mark.parametrize("attributes", [{}, {"explain": "yes"}, {"explain": ""}])
def test_policies_in_shadow_mode_are_told_to_nobody_by_default(attributes: dict[str, str]) -> None:
    principal = Principal(Account("acct_1", attributes=attributes))
    assert own_headers(shadowed(), principal) == []
    assert own_headers(shadowed(), None) == own_headers(None, principal) == []


def test_whom_the_operator_trusts_is_told_which_would_have_refused_each_once() -> None:
    principal = Principal(Account("acct_1", attributes={"explain": "true"}))
    told = (b"gauger-would-refuse", b"narrow, lacking")
    assert own_headers(shadowed(), principal) == [told]
    degraded = own_headers(shadowed(StoreState.SHARE), principal)
    assert degraded == [(b"gauger-store", b"degraded"), told]
