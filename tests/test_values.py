from dataclasses import dataclass, field, fields, replace

from gateway.values import made_often


@made_often
@dataclass(frozen=True, slots=True)
class Point:
    """What it is."""

    x: int
    y: int = 2
    names: list[str] = field(default_factory=list)

    @property
    def sum(self) -> int:
        return self.x + self.y


def test_it_is_made_as_any_dataclass() -> None:
    assert (Point(1).x, Point(1).y, Point(1, 3).y, Point(x=4, y=5).sum) == (1, 2, 3, 9)
    assert Point(1).names == []
    assert Point(1).names is not Point(1).names
    assert replace(Point(1), y=7) == Point(1, 7)


def test_it_keeps_its_meaning() -> None:
    assert repr(Point(1)) == "Point(x=1, y=2, names=[])"
    assert [one.name for one in fields(Point)] == ["x", "y", "names"]
    assert Point.__doc__ == "What it is."
    assert not hasattr(Point(1), "__dict__")


@made_often
@dataclass(frozen=True, slots=True)
class Key:
    parts: tuple[str, ...]


def test_equal_values_are_one_key() -> None:
    assert {Key(("a", "b")): 1}[Key(("a", "b"))] == 1
    assert Key(("a",)) != Key(("b",))
