"""The schema that editors use, held to an independent validator and to what `check` says."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.facts.catalog import PARTITION_NAMES
from gateway.policy.document import PolicyFile, QuotaRule
from gateway.policy.parse import inspect
from gateway.policy.schema import (
    POLICY_SCHEMA_FILE,
    SCENARIO_SCHEMA_FILE,
    as_text,
    policy_schema,
    scenario_schema,
)
from gateway.source.yaml_text import read, read_each

SHIPPED = sorted((Path(__file__).parents[2] / "policies").glob("*.yaml"))
PAGES = Path(__file__).parents[2] / "gateway/docs"
POLICIES = jsonschema.Draft202012Validator(policy_schema())
SCENARIOS = jsonschema.Draft202012Validator(scenario_schema())

RULE = "id: a, why: Because., limit: 5/day"


def accepted(text: str, by: jsonschema.Draft202012Validator = POLICIES) -> bool:
    return all(by.is_valid(document.value) for document in read_each("f.yaml", text))


def test_both_are_sound_schemas_of_the_draft_that_they_name() -> None:
    for schema in (policy_schema(), scenario_schema()):
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        jsonschema.Draft202012Validator.check_schema(schema)
        assert json.loads(as_text(schema)) == schema


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_what_we_ship_validates_and_names_its_schema_in_the_first_line(path: Path) -> None:
    scenario = ".scenario." in path.name
    text = path.read_text("utf-8")
    assert accepted(text, SCENARIOS if scenario else POLICIES)
    named = SCENARIO_SCHEMA_FILE if scenario else POLICY_SCHEMA_FILE
    assert text.splitlines()[0] == f"# yaml-language-server: $schema={named}"


@pytest.mark.parametrize(
    "page", ["policies.md", "routes.md", "testing-policies.md", "behaviours.md"]
)
def test_what_our_pages_show_validates(page: str) -> None:
    blocks = re.findall(
        r"^```yaml\n(.*?)^```$", (PAGES / page).read_text(), re.MULTILINE | re.DOTALL
    )
    assert blocks
    for block in blocks:
        assert accepted(block, SCENARIOS if "scenario:" in block else POLICIES), block


@pytest.mark.parametrize(
    "rule",
    [
        "id: A, why: x, limit: 5/day",
        "why: x, limit: 5/day",
        "id: a, why: x",
        "id: a, why: x, limit: 2M tokns/day",
        "id: a, why: x, limit: 40 usd/day",
        "id: a, why: x, limit: 5 requests",
        f"{RULE}, per: acount",
        f"{RULE}, window: rolling",
        f"{RULE}, mode: off",
        f"{RULE}, lease: 30",
        f"{RULE}, warn_at: 80",
        f"{RULE}, scale: {{free: -1}}",
        f"{RULE}, wyh: x",
        "id: a, why: x, limit: []",
        f"{RULE}, per: []",
        f"{RULE}, burst: 0",
        f"{RULE}, when: 5",
        f"{RULE}, unpriced: dear",
        f"{RULE}, weights: {{inputs: 1}}",
    ],
)
def test_a_typical_mistake_is_refused_in_the_editor_and_by_check(rule: str) -> None:
    text = f"quotas: [{{{rule}}}]"
    assert not accepted(text)
    assert inspect({"f.yaml": text}).policies is None


@pytest.mark.parametrize(
    "text",
    [
        "quota: []",
        "quotas: {}",
        "prices: {a: {input: 3, output: 5 USD}}\nquotas: []",
        "routes: [{path: v1/x, name: x, meter: requests}]",
        "mode: no",
        "- a",
    ],
)
def test_a_mistake_elsewhere_is_refused_too(text: str) -> None:
    assert not accepted(text)
    assert inspect({"f.yaml": text}).policies is None


LIMITS = ["5/day", '" 5 requests / day "', "10 per 2 hours", "1_000 requests/15 minutes"]
LIMITS += ["2M tokens/day", "1 token/sec", "0.50 USD per week", "1.5k USD/month", "8 concurrent"]
LIMITS += [
    "[5/day, 50 input_tokens/min]",
    "5",
    "5 apples/day",
    "5k concurrent/day",
    "8  concurrent",
]


@given(
    st.fixed_dictionaries(
        {"id": st.sampled_from(["a", "5", "0x10", "a-b", "A"]), "limit": st.sampled_from(LIMITS)},
        optional={
            "why": st.sampled_from(["Because.", "5", '" "', "1.5"]),
            "per": st.sampled_from(["account", "account.id", "[model, account]", "x"]),
            "window": st.sampled_from(["bucket", "sliding", "calendar"]),
            "when": st.sampled_from(["request.stream", "request.n"]),
            "scale": st.sampled_from(['{free: "1"}', "{a: 0.5}", "{a: 1e3}", "{a: 0}", "{}"]),
            "timezone": st.sampled_from(["UTC", "Europe/Berlin", "Etc/GMT+5", "Mars"]),
            "weights": st.sampled_from(["{input: 0}", "{cached: }", '{output: "2.5"}', ""]),
            "unpriced": st.sampled_from(["free", "dear"]),
            "warn_at": st.sampled_from(["80%", '" 5% "', "80"]),
            "burst": st.sampled_from(["5", "50k", '" 7 "', "5 USD", "0"]),
            "lease": st.sampled_from(["30s", '" 5m"', "5"]),
            "missing": st.sampled_from(["account", "skip", "no"]),
            "mode": st.sampled_from(["shadow", "off"]),
        },
    )
)
def test_whatever_check_accepts_the_schema_accepts(rule: dict[str, str]) -> None:
    keys = ", ".join(f"{key}: {value}" for key, value in rule.items())
    text = f"prices: {{a: {{input: 0 USD, output: 3 USD}}}}\nquotas: [{{{keys}}}]"
    document = read("f.yaml", text)
    assert document.problems == ()
    if inspect({"f.yaml": text}).policies is not None:
        assert POLICIES.is_valid(document.value), POLICIES.iter_errors(document.value)


def test_every_key_is_described_and_every_fact_of_per_is_listed() -> None:
    made = policy_schema()
    rule = made["$defs"]["QuotaRule"]["properties"]
    assert rule.keys() == QuotaRule.model_fields.keys()
    assert made["properties"].keys() == PolicyFile.model_fields.keys()
    described = [*rule.values(), *made["properties"].values()]
    assert all(each["description"] for each in described)
    assert rule["per"]["anyOf"][0]["enum"] == list(PARTITION_NAMES)
    assert rule["limit"]["anyOf"][0]["examples"]


def test_no_default_is_told_in_inner_units() -> None:
    assert "30000000" not in as_text(policy_schema())
    assert "title" not in policy_schema()["$defs"]["QuotaRule"]["properties"]["limit"]


BEHAVIOUR = "id: a, why: x, measure: {n: count() over 7d}, when: n > 5, points: 5"


@pytest.mark.parametrize(
    "text",
    [
        "behaviours: [{id: a, why: x, measure: {n: count() over 7d}, when: n > 5}]",
        "behaviours: [{id: a, why: x, measure: {}, when: n > 5, points: 5}]",
        f"behaviours: [{{{BEHAVIOUR}, group: fram}}]",
        f"behaviours: [{{{BEHAVIOUR}, members: alik}}]",
        f"behaviours: [{{{BEHAVIOUR}, pionts: 5}}]",
        f"behaviours: [{{{BEHAVIOUR.replace('points: 5', 'points: 0')}}}]",
        f"behaviours: [{{{BEHAVIOUR.replace('{n', '{N')}}}]",
        "responses: [{at: 0, do: observe}]",
        "responses: [{at: 5, do: blok}]",
        "responses: [{at: 5, do: block, for: 1 day}]",
        "responses: [{at: 5, do: degrade, strip: [reason]}]",
        "score: {half_life: 36}",
        "score: {clamp: [0]}",
        "exemptions: [{plan: a, until: 2027-01-01}]",
        "guardrails: {blocked_accounts: 5%}",
        "lists: {a: {phrases: []}}",
        "lists: {a: {}}",
    ],
)
def test_a_mistake_in_a_behaviour_is_refused_in_the_editor_and_by_check(text: str) -> None:
    assert not accepted(text)
    assert inspect({"f.yaml": text}).policies is None


@given(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from(["a", "5", "A"]),
            "measure": st.sampled_from(
                ["{n: count() over 7d}", "{n: accounts() over 9h}", "{n: count() ovr 7d}", "{n: 5}"]
            ),
            "when": st.sampled_from(["n > 5", '" n>1 "', "n", "5"]),
            "points": st.sampled_from(["5", '" -7 "', "-100", "0", "101", "1.5"]),
        },
        optional={
            "group": st.sampled_from(["frame", "account.id", "[sdk, prompt.system]", "x", "[]"]),
            "among": st.sampled_from(["request.stream", "request.n", "5"]),
            "applies": st.sampled_from(["history.fresh", "usage.cost > 1.0"]),
            "members": st.sampled_from(["all", "alike", "some"]),
            "mode": st.sampled_from(["shadow", "off"]),
        },
    ),
    st.fixed_dictionaries(
        {"at": st.sampled_from(["5", '"7"', "0"]), "do": st.sampled_from(["observe", "tag", "x"])},
        optional={
            "header": st.sampled_from(["x-tier", "host", "x y"]),
            "scale": st.sampled_from(["0.5", '"0.25"', "2"]),
            "fleet": st.sampled_from(["5 requests/hour", "1M tokens/day", "5"]),
        },
    ),
    st.fixed_dictionaries(
        {"until": st.sampled_from(["2027-01-01", "soon"]), "owner": st.sampled_from(["o", "5"])},
        optional={"plan": st.sampled_from(["free", "5"]), "network": st.just("AS1")},
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "half_life": st.sampled_from(["36h", '" 2d "', "36"]),
            "clamp": st.sampled_from(["[0, 100]", "[5]"]),
            "shared_evidence_cap": st.sampled_from(["observe", "tag", "x"]),
            "hysteresis": st.sampled_from(["0", '"10"', "99"]),
        },
    ),
)
def test_whatever_check_accepts_of_behaviours_the_schema_accepts(
    rule: dict[str, str], step: dict[str, str], exempt: dict[str, str], score: dict[str, str]
) -> None:
    def mapping(written: dict[str, str]) -> str:
        return "{" + ", ".join(f"{key}: {value}" for key, value in written.items()) + "}"

    text = (
        f"behaviours: [{mapping(rule)}]\nresponses: [{mapping(step)}]\n"
        f"exemptions: [{mapping(exempt)}]\nscore: {mapping(score)}\n"
    )
    document = read("f.yaml", text)
    if inspect({"f.yaml": text}).policies is not None:
        assert POLICIES.is_valid(document.value), list(POLICIES.iter_errors(document.value))


@pytest.mark.parametrize(
    "model",
    [
        "BehaviourRule",
        "PhraseListEntry",
        "ScoreEntry",
        "ResponseEntry",
        "ExemptionEntry",
        "GuardrailsEntry",
    ],
)
def test_every_key_about_behaviours_is_described(model: str) -> None:
    properties = policy_schema()["$defs"][model]["properties"]
    assert all(each["description"] for each in properties.values())
    assert "00000" not in json.dumps([each.get("default") for each in properties.values()])
