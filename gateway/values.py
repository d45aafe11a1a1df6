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
    written: Any = cls
    described = [(one.name, one.type, _like(one)) for one in fields(written)]
    written.__init__ = vars(make_dataclass(cls.__name__, described))["__init__"]
    del written.__setattr__, written.__delattr__
    return cls


def _like(one: "Field[Any]") -> Any:  # noqa: ANN401  # what dataclasses.field returns
    return field(default=one.default, default_factory=one.default_factory, kw_only=one.kw_only)
