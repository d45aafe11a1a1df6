import pytest
from cel_expr_python import cel

from gateway.policy.cel_tree import Node, NodeKind, tree

ENVIRONMENT = cel.NewEnv(
    variables={
        "a.text": cel.Type.STRING,
        "a.number": cel.Type.INT,
        "a.map": cel.Type.Map(cel.Type.STRING, cel.Type.STRING),
        "a.list": cel.Type.List(cel.Type.STRING),
    }
)


def parsed(text: str) -> Node:
    return tree(ENVIRONMENT.compile(text).serialize())


def names(text: str) -> set[str]:
    return {node.name for node in parsed(text).walk() if node.kind is NodeKind.NAME}


def constants(text: str) -> set[object]:
    kinds = {NodeKind.CONSTANT}
    return {node.constant for node in parsed(text).walk() if node.kind in kinds}


def test_a_comparison_is_a_call_of_what_stands_on_both_sides() -> None:
    root = parsed('a.text == "x"')
    assert (root.kind, root.name, root.offset) == (NodeKind.CALL, "_==_", 7)
    name, constant = root.children
    assert (name.kind, name.name) == (NodeKind.NAME, "a.text")
    assert (constant.constant, constant.offset) == ("x", 10)


@pytest.mark.parametrize(
    "text",
    [
        "a.text.size() > 3",
        'a.text in ["x", a.text]',
        '{"k": a.text}["k"] == ""',
        '[1].exists(i, a.text == "x")',
        'a.number > 1 ? a.text == "" : true',
        "!(a.text == a.text)",
    ],
)
def test_a_name_is_found_wherever_it_stands(text: str) -> None:
    assert "a.text" in names(text)


def test_a_field_of_a_map_is_read_or_only_asked_for() -> None:
    (read,) = parsed('a.map.x == "y"').children[:1]
    asked = parsed("has(a.map.x)")
    assert (read.kind, read.name, read.asked) == (NodeKind.FIELD, "x", False)
    assert (asked.kind, asked.name, asked.asked) == (NodeKind.FIELD, "x", True)
    assert read.children[0].name == asked.children[0].name == "a.map"


def test_constants_have_their_value() -> None:
    assert constants('a.number + 300 == 70000 && a.text == "é\\n"') == {300, 70_000, "é\n"}
    assert constants("a.number == 7 || 1.5 < -2.5 || true || 5u > 4u") == {7, 1.5, -2.5, True, None}


def test_a_call_knows_which_function_of_its_name_it_is() -> None:
    overloads = [(node.name, node.overload) for node in parsed("a.number + 1 == 2").walk()]
    assert overloads[:2] == [("_==_", "equals"), ("_+_", "add_int64")]
    assert {overload for name, overload in overloads[2:]} == {""}
    either, _ = parsed("dyn(1) + dyn(2) == dyn(3)").children
    assert (either.name, either.overload) == ("_+_", "")  # it may be one of several


def test_places_are_counted_in_characters() -> None:
    root = parsed('"é€😀" == a.text\n && a.number > 1')
    assert root.offset == 17
    assert [node.offset for node in root.walk() if node.name == "a.number"] == [21]
