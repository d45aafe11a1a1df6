from collections import Counter, defaultdict
from statistics import mean, pstdev

import pytest

from gateway.replay.record import Record
from tests.simulation import making


def by_account(made: list[Record]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = defaultdict(list)
    for one in made:
        found[one.account].append(one)
    return found


def attribute(made: list[Record], name: str) -> list[object]:
    return [accounts[0].attributes.get(name) for accounts in by_account(made).values()]


def test_a_fleet_keeps_its_pace() -> None:
    made = making.campaign("fleet:accounts=20")
    assert len(made) == pytest.approx(20 * 25.6 * 3, rel=0.05)


def test_an_even_fleet_is_even_and_a_zipf_fleet_is_not() -> None:
    even = [len(all_) for all_ in by_account(making.campaign("fleet:even,accounts=20")).values()]
    zipf = [len(all_) for all_ in by_account(making.campaign("fleet:zipf,accounts=20")).values()]
    assert pstdev(even) < 0.05 * mean(even)
    assert pstdev(zipf) > 0.5 * mean(zipf)
    assert mean(zipf) == pytest.approx(mean(even), rel=0.2)


def test_the_frame_is_the_same_in_every_request() -> None:
    heads = {making.said(one)[:40] for one in making.campaign("fleet:accounts=20,edges=first")}
    assert len({head.split(".")[0] for head in heads if not head.startswith("{")}) == 1


def test_each_account_can_have_its_own_frame() -> None:
    made = making.campaign("fleet:accounts=20,frames=0")
    heads = {making.said(all_[0]).split(".")[0] for all_ in by_account(made).values()}
    assert len(heads) >= 19


def test_paraphrases_are_as_many_as_asked_for() -> None:
    made = making.campaign("paraphrases:accounts=20")
    chat = [one for one in made if "messages" in making.body(one)]
    heads = {making.said(one).split("\n")[0] for one in chat}
    assert len(heads) == 20


def test_the_frame_can_be_the_system_prompt() -> None:
    made = [one for one in making.campaign("system-fleet:accounts=30") if "messages" in one.path]
    assert len({making.body(one)["system"] for one in made}) == 1


def test_the_frame_can_be_the_tool_list() -> None:
    made = [one for one in making.campaign("tool-fleet:accounts=30") if "chat" in one.path]
    tools = {str([tool["function"]["name"] for tool in making.body(one)["tools"]]) for one in made}
    assert len(tools) == 1


def test_cover_is_marked_and_has_its_share() -> None:
    labels = Counter(one.label for one in making.campaign("cover:accounts=40"))
    assert set(labels) == {"campaign/cover", "campaign/cover/cover"}
    assert labels["campaign/cover"] / labels.total() == pytest.approx(0.1, abs=0.02)


def test_no_task_is_sent_twice() -> None:
    made = [one for one in making.campaign("card") if "messages" in making.body(one)]
    assert len({making.said(one) for one in made}) > 0.98 * len(made)


@pytest.mark.parametrize(("per_card", "cards"), [(20, 1), (10, 2), (5, 4), (1, 20)])
def test_instruments_hold_so_many_accounts(per_card: int, cards: int) -> None:
    made = making.campaign(f"card:per_card={per_card}")
    assert len(set(attribute(made, "payment"))) == cards


def test_only_what_is_said_to_be_shared_is_shared() -> None:
    shared = making.campaign("network")
    assert len(set(attribute(shared, "network"))) == 1
    assert len(set(attribute(shared, "payment"))) > 10
    nothing = making.campaign("unshared")
    assert len(set(attribute(nothing, "network"))) > 10
    clients = {one.headers["user-agent"] for one in making.campaign("client")}
    assert len(clients) == 1


def test_sign_ups_lie_within_one_hour_if_that_is_shared() -> None:
    made = [int(str(one)) for one in attribute(making.campaign("signup"), "created_at")]
    assert max(made) - min(made) <= 3_600
    apart = [int(str(one)) for one in attribute(making.campaign("unshared"), "created_at")]
    assert max(apart) - min(apart) > 86_400


def test_a_rotating_fleet_comes_from_elsewhere_each_time() -> None:
    made = making.campaign("rotation:accounts=5")
    one = next(iter(by_account(made).values()))
    assert len({record.attributes["network"] for record in one}) > len(one) / 5


def test_a_pivot_moves_half_of_the_accounts() -> None:
    made = making.campaign("pivot:accounts=40,pivot=1,age=aged", days=4.0)
    last = {account: all_[-1] for account, all_ in by_account(made).items()}
    new = [one for one in last.values() if making.model(one).endswith(("-6", "opera-5"))]
    assert 10 <= len(new) <= 25


def test_a_total_ends_a_campaign() -> None:
    assert len(making.campaign("single:total=50")) == 50


def test_ten_requests_a_second_are_possible() -> None:
    made = making.campaign("fleet:accounts=100,per_second=10,total=2000,jitter")
    assert made[-1].at - made[0].at == pytest.approx(200, rel=0.25)


def test_agents_of_a_campaign_carry_results_that_no_tool_gave() -> None:
    made = [one for one in making.campaign("agentic:accounts=20") if "chat" in one.path]
    assert all(making.body(one)["messages"][-1]["role"] == "tool" for one in made)


def test_shards_have_texts_of_their_own() -> None:
    made = making.campaign("adaptive:style=plain,accounts=8,jitter")
    texts = [
        {making.said(one) for one in all_ if "messages" in making.body(one)}
        for all_ in by_account(made).values()
    ]
    assert all(not first & second for first in texts for second in texts if first is not second)
