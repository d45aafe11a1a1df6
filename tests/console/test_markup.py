from gateway.console.markup import join, tag


def test_text_is_escaped_and_markup_is_not() -> None:
    assert tag("p", "<b> & co", tag("b", "x")) == "<p>&lt;b&gt; &amp; co<b>x</b></p>"


def test_an_attribute_cannot_be_left() -> None:
    assert tag("a", "x", href='"onclick="y') == '<a href="&quot;onclick=&quot;y">x</a>'


def test_what_is_none_is_left_out() -> None:
    assert tag("p", None, "x", cls=None, title="t") == '<p title="t">x</p>'
    assert join(None) == ""
