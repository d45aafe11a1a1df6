import pytest

from gateway.errors import SettingsError
from gateway.proxy.upstream.target import UpstreamTarget


@pytest.mark.parametrize(
    ("url", "origin", "authority", "prefix"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000", b"127.0.0.1:8000", b""),
        ("http://model", "http://model:80", b"model", b""),
        ("https://api.example.com/", "https://api.example.com:443", b"api.example.com", b""),
        ("https://api.example.com:443/v1/x/", "https://api.example.com:443", b"api.example.com",
         b"/v1/x"),
        ("http://api.example.com:443", "http://api.example.com:443", b"api.example.com:443", b""),
        ("HTTP://API.Example.com/A%20b", "http://api.example.com:80", b"api.example.com",
         b"/A%20b"),
        ("http://[::1]:8000/p", "http://[::1]:8000", b"[::1]:8000", b"/p"),
        ("http://model_api-1.svc.", "http://model_api-1.svc.:80", b"model_api-1.svc.", b""),
        ("http://xn--bcher-kva.example", "http://xn--bcher-kva.example:80",
         b"xn--bcher-kva.example", b""),
    ],
)  # fmt: skip  # one case a line or two
def test_a_url_is_taken_apart(url: str, origin: str, authority: bytes, prefix: bytes) -> None:
    target = UpstreamTarget.parse(url)
    assert (target.origin, target.authority, target.prefix) == (origin, authority, prefix)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("", 'the scheme "" is not known'),
        ("127.0.0.1:8000", "scheme"),
        ("localhost:8000", 'the scheme "localhost" is not known'),
        ("ftp://model", 'the scheme "ftp" is not known'),
        ("http://", '"" is not a host name'),
        ("http://:80", '"" is not a host name'),
        ("http://a b", "is not a host name"),
        ("http://a..b", "is not a host name"),
        ("http://-a", "is not a host name"),
        (f"http://{'a' * 64}.example", "is not a host name"),
        ("http://300.1.1.1", '"300.1.1.1" is not a host name'),
        ("http://1.2", "is not a host name"),
        ("http://[::g]", "not a URL"),
        ("http://bücher.example", "is not a host name"),
        ("http://model:port", "not a URL"),
        ("http://model:70000", "not a URL"),
        ("http://model/?a=1", "a query or fragment is not used"),
        ("http://model/?", "a query or fragment is not used"),
        ("http://model/#x", "a query or fragment is not used"),
        ("http://model/a b", "percent-encoded"),
        ("http://model/ü", "percent-encoded"),
    ],
)
def test_what_cannot_be_used_is_named_with_what_can(url: str, complaint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        UpstreamTarget.parse(url)
    assert complaint in str(caught.value)
    assert "Allowed: http://HOST" in str(caught.value)


def test_a_password_in_the_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError) as caught:
        UpstreamTarget.parse("https://user:hunter2@model")
    assert "hunter2" not in str(caught.value)
    assert "--upstream-key-env" in str(caught.value)


def test_the_prefix_path_and_query_make_the_request_target() -> None:
    target = UpstreamTarget.parse("http://model/openai/")
    assert target.request_target(b"/v1/models", b"") == b"/openai/v1/models"
    assert target.request_target(b"/v1/models", b"a=1") == b"/openai/v1/models?a=1"
