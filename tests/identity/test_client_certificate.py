"""Envoy's header: its own examples, and whatever else might be sent."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import MalformedRequest
from gateway.identity.client_certificate import part_of_nearest, read_certificates

HASH = "468ed33be74eee6556d90c0149c1309e9ba61d6425303443c0748a02dd8de688"
SUBJECT = "/C=US/ST=CA/L=San Francisco/OU=Lyft/CN=Test Client"
ONE = f'By=http://frontend.lyft.com;Hash={HASH};Subject="{SUBJECT}";URI=http://testclient.lyft.com'

keys = st.sampled_from(["By", "Hash", "Cert", "Chain", "Subject", "URI", "DNS", "uri", "Other"])
plain = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters='",;='))
quoted = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)).map(
    lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
)
elements = st.lists(
    st.lists(st.tuples(keys, st.one_of(plain, quoted)), min_size=1, max_size=4),
    min_size=1,
    max_size=3,
)


def written(element: list[tuple[str, str]]) -> str:
    return ";".join(f"{key}={value}" for key, value in element)


@given(elements)
def test_what_a_proxy_writes_is_read_as_it_was_meant(meant: list[list[tuple[str, str]]]) -> None:
    def bare(value: str) -> str:
        return value[1:-1] if value.startswith('"') else value

    assert read_certificates(",".join(written(element) for element in meant)) == [
        tuple((key.lower(), bare(value)) for key, value in element) for element in meant
    ]


@given(elements, elements)
def test_what_stands_before_the_nearest_element_changes_nothing_of_it(
    before: list[list[tuple[str, str]]], nearest: list[list[tuple[str, str]]]
) -> None:
    header = ",".join(written(element) for element in [*before, nearest[0]])
    assert read_certificates(header)[-1] == read_certificates(written(nearest[0]))[-1]


@given(st.one_of(st.text(), st.text('By=;,"\\ aU'), st.text('=;,"\\')))
def test_whatever_is_sent_is_read_or_refused(header: str) -> None:
    with contextlib.suppress(MalformedRequest):
        assert all(element for element in read_certificates(header))


@given(st.text('a"\\,;=', max_size=30))
def test_no_two_subjects_are_read_as_one(inside: str) -> None:
    """The text between the quotes is the name, escapes and all."""
    try:
        ((pair,),) = read_certificates(f'Subject="{inside}"')
    except (MalformedRequest, ValueError):
        return
    assert pair == ("subject", inside)


@pytest.mark.parametrize(
    ("key", "value"),
    [("uri", "http://testclient.lyft.com"), ("hash", HASH), ("subject", SUBJECT), ("dns", None)],
)
def test_each_part_can_name_the_caller(key: str, value: str | None) -> None:
    assert part_of_nearest(ONE, key) == value


def test_the_last_element_is_the_nearest_proxys() -> None:
    header = f"{ONE},By=http://backend.lyft.com;Hash=abc;URI=http://frontend.lyft.com"
    assert part_of_nearest(header, "uri") == "http://frontend.lyft.com"
    assert part_of_nearest(header, "subject") is None


def test_a_subject_may_hold_what_elsewhere_parts() -> None:
    subject = r"CN=a\,b;URI=spiffe://victim,O=\"x\",OU=y\\"
    assert part_of_nearest(f'Subject="{subject}";URI=spiffe://me', "subject") == subject
    assert part_of_nearest(f'Subject="{subject}";URI=spiffe://me', "uri") == "spiffe://me"


def test_of_several_names_none_is_the_one() -> None:
    with pytest.raises(MalformedRequest, match="more than one uri"):
        part_of_nearest("URI=spiffe://a;URI=spiffe://b", "uri")


@pytest.mark.parametrize(
    "header",
    [
        "",
        ",",
        ";",
        "URI",
        "=x",
        "URI=a,",
        "URI=a;",
        ",URI=a",
        'Subject="a',
        'Subject="a"b',
        'Subject=a"b"',
        "URI=a b",
        "URI=\u00e4",
        "URI=" + "a" * 70_000,
    ],
)
def test_what_cannot_be_read_names_nobody(header: str) -> None:
    with pytest.raises(MalformedRequest):
        read_certificates(header)
