"""What the HTML of a message may hold, said once more for tests, and a reader that finds what is beyond it."""

from __future__ import annotations

from html.parser import HTMLParser

TAGS = {
    "a",
    "blockquote",
    "br",
    "code",
    "em",
    "h4",
    "h5",
    "h6",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "span",
    "strong",
    "ul",
}
VOID = {"br", "hr"}
ATTRIBUTES = {"a": {"href", "rel"}, "code": {"class"}, "ol": {"start"}, "span": {"class", "data-user-id"}}
SCHEMES = ("http://", "https://", "mailto:")


class Fragment(HTMLParser):
    """Reads a fragment and fails for all that is not allowed, and for elements that don't close. `text`: its text, with
    a line end for each `br`."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.links: list[str] = []
        self.mentions: list[tuple[int, str]] = []
        self._open: list[str] = []
        self._mention: int | None = None
        self.feed(html)
        self.close()
        assert self._open == [], f"left open: {self._open} in {html!r}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        attributes = dict(attrs)
        assert set(attributes) <= ATTRIBUTES.get(tag, set()), (tag, attrs)
        if tag == "a":
            assert attributes["rel"] == "noopener noreferrer nofollow"
        if href := attributes.get("href"):  # what leads nowhere has none
            assert href.lower().startswith(SCHEMES), href
            self.links.append(href)
        if tag == "ol":
            assert (attributes.get("start") or "1").isdecimal()
        if "data-user-id" in attributes:
            assert attributes["class"] == "mention"
            self._mention = int(attributes["data-user-id"] or "")
            self.mentions.append((self._mention, ""))
        for each in (attributes.get("class") or "").split():
            assert each == "mention" or each.startswith("language-") or len(each) <= 2, each
        if tag in VOID:
            self.text += "\n"
        else:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        self._mention = None

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._mention is not None:
            self.mentions[-1] = self._mention, self.mentions[-1][1] + data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data!r}")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(f"a declaration: {decl!r}")

    handle_pi = unknown_decl = handle_comment
