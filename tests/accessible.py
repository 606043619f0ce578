"""What every page must have so that all can read it: by keyboard, by ear, on paper, in the dark."""

from __future__ import annotations

import itertools
import re
from html.parser import HTMLParser

LONG_ENOUGH = 20  # characters of an alt text that says what is seen, and not only that there is something


class _Page(HTMLParser):
    """Tags with their attributes, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def check_page(text: str) -> None:
    """Headings nest, cells have headers, pictures have words, links lead somewhere; nothing is left to a script."""
    page = _Page()
    page.feed(text)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), levels
    assert ("html", {"lang": "en"}) in page.tags
    assert [tag for tag, _ in page.tags].count("main") == 1
    for tag, attributes in page.tags:
        if tag == "th":
            assert attributes.get("scope") in ("col", "row", "rowgroup"), attributes
        if tag == "img":
            assert len(attributes.get("alt") or "") >= LONG_ENOUGH, attributes.get("alt")
        if "wide" in (attributes.get("class") or "").split():
            assert attributes.get("tabindex") == "0"  # what scrolls can be scrolled by keyboard
            assert attributes.get("aria-label")
    places = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(places) == len(set(places))
    links = [attributes["href"] or "" for tag, attributes in page.tags if tag == "a" and "href" in attributes]
    assert links[0].startswith("#")  # the first thing that a keyboard meets skips what comes before the tables
    assert {link[1:] for link in links if link.startswith("#")} <= set(places)
    assert "<script" not in text
    for rule in ("prefers-color-scheme: dark", "@media print", "details::details-content", ":focus-visible"):
        assert rule in text
