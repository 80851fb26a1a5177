from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from tradingbot_observer.page.markup import Markup, element, join


class Reader(HTMLParser):
    """What a browser would make of it: elements, their attributes, and text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.said += data


def test_an_element_with_attributes() -> None:
    made = element("p", "a", element("b", "c"), class_="x", data_slot="y", title=None)
    assert made == '<p class="x" data-slot="y">a<b>c</b></p>'
    assert element("circle", cx=1, r=2.5) == '<circle cx="1" r="2.5"/>'


def test_markup_is_kept_and_text_is_not() -> None:
    assert join(Markup("<b>"), "<b>", " & \"'") == "<b>&lt;b&gt; &amp; &quot;&#x27;"


@given(st.text(), st.text())
def test_whatever_is_said_it_is_read_as_said_and_makes_no_element(content: str, attribute: str) -> None:
    reader = Reader()
    reader.feed(element("p", content, title=attribute))
    reader.close()
    assert reader.said == content
    assert reader.tags == [("p", {"title": attribute})]
