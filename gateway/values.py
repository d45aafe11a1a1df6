"""Values that are made for every exchange, and therefore have to be cheap to make.

A frozen dataclass is made through `object.__setattr__`, which costs four times as much as plain
assignment. One exchange makes some thirty of these values, so that was a third of its time.
"""

from dataclasses import Field, field, fields, make_dataclass
from typing import Any, TypeVar

T = TypeVar("T")


def made_often(cls: type[T]) -> type[T]:
    """A frozen dataclass, made by plain assignment.

    Whoever writes to one is still told so, by the type checker; at run time nobody looks.
    """
    described = [(one.name, one.type, _like(one)) for one in fields(cls)]  # type: ignore[arg-type]  # a dataclass
    plain = make_dataclass(cls.__name__, described)
    cls.__init__ = plain.__init__  # type: ignore[method-assign]  # that is what this is for
    del cls.__setattr__, cls.__delattr__
    return cls


def _like(one: "Field[Any]") -> Any:  # noqa: ANN401  # what dataclasses.field returns
    return field(default=one.default, default_factory=one.default_factory, kw_only=one.kw_only)
