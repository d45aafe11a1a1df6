import pytest

from gateway.identity.document import IdentitiesFile, parse_document
from gateway.source.problems import Problem, Problems

ALL = """\
unknown_keys: admit
jwt:
  - issuer: https://login.example.com/
    audience: gauger
    jwks_url: https://login.example.com/jwks
    ca_file: tls/ca.pem
    prefix: staff/
    attributes: {payment: billing.instrument}
  - issuer: https://other.example.com/
    audience: [a, b]
    algorithms: [PS256]
    jwks_file: /keys/jwks.json
    leeway_seconds: 0
    account: tenant
    plan: plan
    organization: org
    created_at: since
front_proxy:
  addresses: [10.0.0.0/8, "::1"]
  account_header: X-Account-Id
  plan_header: x-plan
  organization_header: x-org
  certificate:
    header: x-forwarded-client-cert
    by: uri
    unknown: admit
"""


def parsed(text: str) -> IdentitiesFile:
    return parse_document(text, "conf/identities.yaml")[0]


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(Problems) as raised:
        parsed(text)
    return raised.value.problems


def test_everything_that_can_be_written_is_read() -> None:
    file = parsed(ALL)
    first, second = file.jwt
    assert first.audience == ("gauger",)
    assert (first.ca_file, second.jwks_file) == ("conf/tls/ca.pem", "/keys/jwks.json")
    assert first.algorithms == ("RS256", "ES256", "EdDSA")
    assert first.account == "sub"
    assert file.front_proxy is not None
    assert set(file.front_proxy.headers()) == {
        "x-account-id",
        "x-plan",
        "x-org",
        "x-forwarded-client-cert",
    }


def test_unknown_keys_are_refused_unless_it_says_otherwise() -> None:
    assert parsed("jwt: []").unknown_keys == "refuse"


ISSUER = "jwt: [{issuer: a, audience: g, jwks_file: k, "
PROXY = "front_proxy: {addresses: 10.0.0.1, "


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("", (1, 1), "holds nothing"),
        ("unknown_key: admit", (1, 1), 'Did you mean "unknown_keys"?'),
        ("unknown_keys: allow", (1, 15), "Allowed: refuse, admit"),
        ("jwt: {issuer: a}", (1, 6), '"jwt" must be a list'),
        ("jwt: [{audience: g, jwks_file: k}]", (1, 7), '"issuer" is missing here'),
        ("jwt: [{issuer: a, jwks_file: k}]", (1, 7), '"audience" is missing here'),
        ("jwt: [{issuer: a, audience: g}]", (1, 7), 'either "jwks_file" or "jwks_url"'),
        (ISSUER + "jwks_url: https://a/}]", (1, 7), 'either "jwks_file" or "jwks_url"'),
        (ISSUER + "ca_file: c}]", (1, 7), '"ca_file" is for "jwks_url" alone'),
        ("jwt: [{issuer: a, audience: [], jwks_file: k}]", (1, 29), "Name at least one"),
        (ISSUER + "algorithms: []}]", (1, 58), "Name at least one"),
        (ISSUER + "algorithms: [none]}]", (1, 59), '"none" is not accepted'),
        (ISSUER + "algorithms: [HS256]}]", (1, 59), 'Did you mean "RS256"'),
        (ISSUER + "leeway_seconds: 301}]", (1, 62), "less than or equal to 300"),
        (ISSUER + "leeway_seconds: -1}]", (1, 62), "greater than or equal to 0"),
        (ISSUER + "prefix: 'ä'}]", (1, 54), "cannot begin the name"),
        (ISSUER + "prefix: key_}]", (1, 54), "cannot begin the name"),
        (ISSUER + "accaunt: x}]", (1, 46), 'Did you mean "account"?'),
        ("jwt: [{issuer: a, audience: g, jwks_url: http://idp.example/}]", (1, 42), "https://"),
        ("jwt: [{issuer: a, audience: g, jwks_url: 'ftp://localhost/'}]", (1, 42), "not a URL"),
        ("jwt: [{issuer: a, audience: g, jwks_url: keys}]", (1, 42), "not a URL"),
        ("jwt: [{issuer: a, audience: g, jwks_url: 'https://[::1'}]", (1, 42), "not a URL"),
        ("jwt: [{issuer: a, audience: g, jwks_url: 'https://u:p@h/'}]", (1, 42), "Leave it out"),
        ("front_proxy: {}", (1, 14), '"addresses" is missing'),
        ("front_proxy: {addresses: []}", (1, 26), "Name at least one"),
        ("front_proxy: {addresses: proxy}", (1, 26), "is not a range of addresses"),
        ("front_proxy: {addresses: 10.0.0.1/8}", (1, 26), "host bits set"),
        ("front_proxy: {addresses: 0.0.0.0/0}", (1, 26), "everybody"),
        ("front_proxy: {addresses: ['::/0']}", (1, 27), "everybody"),
        (PROXY + "account_header: x_account_id}", (1, 52), "not the name of a header"),
        (PROXY + "account_header: Authorization}", (1, 52), "a meaning of its own"),
        (PROXY + "account_header: x-forwarded-for}", (1, 52), "a meaning of its own"),
        (PROXY + "plan_header: x-plan}", (1, 14), 'Add "account_header"'),
        (PROXY + "account_header: x-a, plan_header: X-A}", (1, 14), "the same one"),
        (PROXY + "certificate: {by: uri}}", (1, 49), '"header" is missing'),
        (PROXY + "certificate: {header: x-c}}", (1, 49), '"by" is missing'),
        (PROXY + "certificate: {header: x-c, by: cn}}", (1, 67), "Allowed: subject, uri"),
    ],
)
def test_what_cannot_be_meant_is_a_located_problem(
    text: str, place: tuple[int, int], words: str
) -> None:
    (problem,) = problems(text)
    assert words in problem.message
    assert (problem.line, problem.column) == place


def test_loopback_may_be_asked_without_tls() -> None:
    for host in ("localhost:9", "127.0.0.1:9", "[::1]:9"):
        parsed(f"jwt: [{{issuer: a, audience: g, jwks_url: 'http://{host}/jwks'}}]")


def test_two_issuers_cannot_mean_different_people_by_one_name() -> None:
    text = "jwt:\n" + "".join(
        f"  - {{issuer: {issuer}, audience: g, jwks_file: k}}\n" for issuer in ("a", "b", "a")
    )
    assert [(p.line, p.message.split(".")[0]) for p in problems(text)] == [
        (3, "Two issuers may mean different people by one name; the other is in line 2"),
        (4, "Two issuers may mean different people by one name; the other is in line 2"),
        (4, "This issuer is there already, in line 2"),
    ]
