from collections import Counter, defaultdict

import pytest

from gateway.replay.record import Record
from gateway.simulation.populations import KINDS
from tests.simulation import making


def accounts(made: list[Record]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = defaultdict(list)
    for one in made:
        found[one.account].append(one)
    return found


def shared(made: list[Record], name: str) -> Counter[object]:
    return Counter(all_[0].attributes.get(name) for all_ in accounts(made).values())


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_population_sends_something(kind: object) -> None:
    name = getattr(kind, "name")  # noqa: B009  pytest's ids lose the type
    made = making.records(f"{name}:24", days=14.0)
    assert made
    assert {str(one.label) for one in made} == {f"benign/{name}"}


def test_the_class_asks_what_stands_on_its_sheet() -> None:
    made = making.records("class:30", days=14.0)
    assert len({making.said(one) for one in made if "messages" in making.body(one)}) <= 20
    assert len(shared(made, "address")) == 1


def test_a_campus_is_one_address_for_sixty_accounts() -> None:
    made = making.records("campus:120", days=14.0)
    assert len(shared(made, "address")) == 2
    loads = sorted((len(all_) for all_ in accounts(made).values()), reverse=True)
    assert loads[0] > 5 * loads[len(loads) // 2]


def test_an_application_has_one_system_prompt_and_many_payers() -> None:
    made = making.records("app:60", days=7.0)
    assert len({making.body(one)["messages"][0]["content"] for one in made}) == 1
    assert len(shared(made, "payment")) == len(accounts(made))
    assert len({making.body(one)["user"] for one in made}) == len(accounts(made))


def test_a_reseller_names_its_end_users() -> None:
    made = making.records("reseller:1", days=3.0)
    assert len(accounts(made)) == 1
    users = {str(making.body(one).get("user") or making.body(one).get("metadata")) for one in made}
    assert len(users) > 40


def test_tenants_are_on_one_card() -> None:
    made = making.records("tenants:300", days=14.0)
    assert len(shared(made, "payment")) == 1
    assert len(accounts(made)) > 200


def test_firms_with_a_house_prompt_share_card_and_prompt() -> None:
    made = making.records("firms:40", days=14.0)
    chat = [one for one in made if "messages" in making.body(one) and "chat" in one.path]
    prompts = defaultdict(set)
    for one in chat:
        prompts[one.attributes["payment"]].add(making.body(one)["messages"][0]["content"])
    assert all(len(found) == 1 for found in prompts.values())


def test_a_pipeline_keeps_its_template() -> None:
    made = accounts(making.records("batch:10"))
    for all_ in made.values():
        heads = Counter(making.said(one)[:25] for one in all_ if "messages" in making.body(one))
        assert len(heads) <= 1


def test_agents_grow_one_history() -> None:
    made = accounts(making.records("agent:5"))
    longest = max(
        (len(making.body(one).get("messages", ())) for all_ in made.values() for one in all_),
    )
    assert longest >= 8


def test_a_shared_benchmark_asks_each_question_once() -> None:
    made = making.records("sharded-evaluation:8", days=7.0)
    texts = Counter(making.said(one) for one in made if "messages" in making.body(one))
    assert texts.most_common(1)[0][1] == 1


def test_launch_accounts_sign_up_within_three_hours() -> None:
    made = making.records("launch:50", days=14.0)
    created = [int(str(value)) for value in shared(made, "created_at")]
    assert max(created) - min(created) <= 3 * 3_600


def test_nobody_sends_before_the_account_was_made() -> None:
    made = making.records("all:0.03", campaigns=("fleet:accounts=20,begin=1",), days=14.0)
    assert all(one.at >= float(str(one.attributes["created_at"])) for one in made)
