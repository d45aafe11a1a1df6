import pytest

from gateway.facts.accounts import parse_accounts
from gateway.facts.principal import Account, Secret
from gateway.source.problems import Problem, Problems

A, B, C = ("a" * 64, "b" * 64, "c" * 64)

TWO = f"""\
accounts:
  - id: acme
    plan: pro
    organization: acme-corp
    created_at: 1760000000
    keys:
      - {{hash: {A}, note: production}}
      - hash: {B}
    certificates: [spiffe://corp/acme, "CN=acme,O=Acme"]
    attributes: {{payment: pm_71}}
  - id: locked.out@example
    keys: []
"""


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(Problems) as raised:
        parse_accounts(text, "accounts.yaml")
    return raised.value.problems


def test_an_account_is_found_by_each_of_its_keys_hashes() -> None:
    accounts = parse_accounts(TWO, "accounts.yaml")
    acme = Account("acme", "pro", "acme-corp", {"payment": "pm_71"}, 1760000000)
    assert accounts.find(A) == acme
    assert accounts.find(B) == acme
    assert accounts.find(C) is None
    assert len(accounts) == 2


def test_an_account_is_found_by_its_certificates_and_by_its_name() -> None:
    accounts = parse_accounts(TWO, "accounts.yaml")
    acme = accounts.find(A)
    assert acme is not None
    assert accounts.with_certificate("spiffe://corp/acme") is acme
    assert accounts.with_certificate("CN=acme,O=Acme") is acme
    assert accounts.with_certificate("cn=acme,O=Acme") is None
    assert accounts.named("acme") is acme
    assert accounts.named("locked.out@example") == Account("locked.out@example")
    assert accounts.named("nobody") is None
    assert accounts.find("acme") is None


def test_a_key_is_known_by_the_hash_under_the_deployments_secret() -> None:
    secret = Secret(b"secret")
    text = f"accounts: [{{id: a, keys: [{{hash: {secret.credential_hash('sk-1')}}}]}}]"
    accounts = parse_accounts(text, "accounts.yaml")
    assert accounts.find(secret.credential_hash("sk-1")) == Account("a")
    assert accounts.find(Secret(b"another").credential_hash("sk-1")) is None
    assert accounts.find("sk-1") is None


def test_attributes_cannot_be_changed() -> None:
    account = parse_accounts(TWO, "accounts.yaml").find(A)
    assert account
    with pytest.raises(TypeError):
        account.attributes["payment"] = "x"  # type: ignore[index]


def test_nobody_may_call_is_a_list_too() -> None:
    assert len(parse_accounts("accounts: []", "accounts.yaml")) == 0


def test_an_id_and_a_hash_are_taken_once() -> None:
    found = problems(
        f"accounts:\n  - {{id: a, keys: [{{hash: {A}}}, {{hash: {A}}}]}}\n"
        f"  - {{id: a, kees: [], keys: [{{hash: {A}}}]}}\n"
    )
    assert [(p.line, p.message.split(".")[0]) for p in found] == [
        (2, "This hash is taken; first in line 2"),
        (3, "This id is taken; first in line 2"),
        (3, "This is not a key here"),
        (3, "This hash is taken; first in line 2"),
    ]


def test_a_certificate_is_one_accounts_alone() -> None:
    (problem,) = problems(
        "accounts:\n  - {id: a, keys: [], certificates: [CN=a]}\n"
        "  - {id: b, keys: [], certificates: [CN=b, CN=a]}\n"
    )
    assert problem.message.startswith("This certificate is taken; first in line 2.")
    assert (problem.line, problem.column) == (3, 44)


def test_a_file_whose_only_fault_is_a_hash_taken_twice_is_refused() -> None:
    (problem,) = problems(f"accounts:\n  - {{id: a, keys: [{{hash: {A}}}, {{hash: {A}}}]}}\n")
    assert "This hash is taken" in problem.message


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("", (1, 1), "holds nothing"),
        ("accounts:", (1, 1), '"accounts" must be a list'),
        ("acountz: []", (1, 1), 'Did you mean "accounts"?'),
        ("{}", (1, 1), '"accounts" is missing here. Add it: a list of those who may call.'),
        ("accounts: [{keys: []}]", (1, 12), '"id" is missing here'),
        ("accounts: [{id: a}]", (1, 12), '"keys" is missing here'),
        ("accounts: [{id: a b, keys: []}]", (1, 17), "This is not an account's id"),
        ("accounts: [{id: 5, keys: []}]", (1, 17), "Put it in quotes"),
        ("accounts: [{id: a, keys: [{hash: abc}]}]", (1, 34), "This is not the hash of a key"),
        (f"accounts: [{{id: a, keys: [{{hash: {'A' * 64}}}]}}]", (1, 34), "0-9 and a-f"),
        (f"accounts: [{{id: a, keys: [{A}]}}]", (1, 27), '"keys" must be a mapping'),
        ("accounts: [{id: a, keys: [], created_at: 1760000000000}]", (1, 42), "Milliseconds?"),
        ("accounts: [{id: a, keys: [], created_at: -1}]", (1, 42), "out of bounds"),
        ("accounts: [{id: a, keys: [], created_at: 2026-01-01}]", (1, 42), "a whole number"),
        ("accounts: [{id: a, keys: [], certificates: CN=a}]", (1, 44), "must be a list"),
        ("accounts: [{id: a, keys: [], certificates: ['ä']}]", (1, 45), "the name of a cert"),
        ("accounts: [{id: a, keys: [], certificates: ['']}]", (1, 45), "the name of a cert"),
        ("accounts: [{id: a, keys: [], attributes: {n: 5}}]", (1, 46), '"n" must be text'),
    ],
)
def test_what_cannot_be_meant_is_a_located_problem(
    text: str, place: tuple[int, int], words: str
) -> None:
    (problem,) = problems(text)
    assert (problem.file, problem.line, problem.column) == ("accounts.yaml", *place)
    assert words in problem.message


@pytest.mark.parametrize(
    "text",
    [
        "accounts: [{id: a, keys: [{hash: sk-CANARY}]}]",
        "accounts: [{id: a, keys: [sk-CANARY]}]",
        "accounts: [{id: a, keys: sk-CANARY}]",
        "accounts: [{id: a, keys: [{sk-CANARY: x}]}]",
        "accounts: [{id: a, keys: [], certificates: [sk-CANARY\u00e4, sk-CANARY, sk-CANARY]}]",
        "accounts: [{id: 'sk CANARY', keys: []}]",
        "accounts: [{id: a, keys: [{hash: sk-CANARY, hash: x}, {hash: sk-CANARY}]}]",
        "accounts: [{id: a, keys: [{hash: &CANARY x}], sk-CANARY: b, sk-CANARY: c}]",
        "accounts: [{id: a, plan: [sk-CANARY], created_at: sk-CANARY, keys: []}]",
        "accounts: [{id: a, keys: [{hash: sk-CANARY}]",
        "accounts: sk-CANARY: x",
        "sk-CANARY",
    ],
)
def test_a_key_written_by_mistake_is_not_repeated(text: str) -> None:
    for problem in problems(text):
        assert "CANARY" not in problem.message
        assert problem.excerpt == ""


def test_hashes_of_another_secret_are_told_by_their_fingerprint() -> None:
    ours, theirs = Secret(b"ours").fingerprint(), Secret(b"theirs").fingerprint()
    text = f'secret: "{ours}"\naccounts: []\n'
    parse_accounts(text, "accounts.yaml")
    parse_accounts(text, "accounts.yaml", ours)
    parse_accounts("accounts: []", "accounts.yaml", theirs)
    with pytest.raises(Problems) as raised:
        parse_accounts(text, "accounts.yaml", theirs)
    (problem,) = raised.value.problems
    assert (problem.line, problem.column) == (1, 9)
    assert "made with another secret" in problem.message


def test_a_secret_in_the_place_of_its_fingerprint_is_not_repeated() -> None:
    (problem,) = problems("secret: hunter2-hunter2-hunter2\naccounts: []\n")
    assert "fingerprint" in problem.message
    assert "hunter2" not in f"{problem.message}{problem.excerpt}"
