from gateway.errors import MalformedRequest, MethodNotAllowed
from gateway.facts.caller_fault import by_caller
from gateway.facts.refusal import RefusalKind


def test_what_is_wrong_keeps_its_field_and_its_words() -> None:
    refusal = by_caller(MalformedRequest('"n" is a string.', field="n"))
    assert (refusal.kind, refusal.message, refusal.field) == (
        RefusalKind.MALFORMED,
        '"n" is a string.',
        "n",
    )


def test_the_methods_that_a_path_has_are_told() -> None:
    refusal = by_caller(MethodNotAllowed("Not this one.", allowed="GET, POST"))
    assert (refusal.kind, refusal.allow) == (RefusalKind.METHOD_NOT_ALLOWED, "GET, POST")
