import pytest

from gateway import errors
from gateway.facts.refusal import RefusalKind
from gateway.proxy.refusal import by_caller, by_upstream


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
