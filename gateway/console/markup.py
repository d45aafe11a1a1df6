"""HTML by construction: what is not markup already is escaped, so no value can become markup."""

from html import escape


class Markup(str):
    """Text that is HTML."""

    __slots__ = ()


Child = str | Markup | None


def tag(name: str, *children: Child, **attributes: str | None) -> Markup:
    """`cls` stands for `class`; children and attributes that are None are left out."""
    written = "".join(
        f' {"class" if attribute == "cls" else attribute}="{escape(value)}"'
        for attribute, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{written}>{join(*children)}</{name}>")


def join(*children: Child) -> Markup:
    return Markup(
        "".join(
            child if isinstance(child, Markup) else escape(child)
            for child in children
            if child is not None
        )
    )
