"""Formatting: what a message's content looks like as HTML, where that is more than its plain text.

Nothing of the HTML is believed: whatever the parser made passes an allow-list (nh3) at the end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import NamedTuple

import nh3

from chatserver.accounts import User
from chatserver.highlighting import CLASSES, LANGUAGES, Highlighting
from chatserver.markup import Markup, mention_html
from chatserver.mentions import MAX_PLACES, mention_at

MAX_HTML = 24_000
"""Characters. What gets longer is shown without colours; if that does not help, without formatting."""

MAX_HOSTS = 40
"""How often a content may say `www.` and be formatted: the parser looks from each to the end of the text."""

TAGS = frozenset(
    {"a", "blockquote", "br", "code", "em", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s", "span", "strong", "ul"}
)
ATTRIBUTES: dict[str, set[str]] = {"a": {"href"}, "ol": {"start"}, "span": {"data-user-id"}, "*": set()}
SCHEMES = frozenset({"http", "https", "mailto"})
LINK_REL = "noopener noreferrer nofollow"

# Most messages have none of these, so that one look tells that there is nothing to format.
_MARKS = re.compile(r"[*_`~\[\\&:@\n]")
_FIRST = frozenset("#>+-0123456789")
# The others are looked at once more.
_FORMATS = re.compile(
    r"[*_`~\[\\]|&\#?\w+;|://|mailto:|www\.|\w@\w|^[ ]{0,3}(?:[>\#+-]|\d{1,9}[.)])|^(?:[ ]{4}|[ ]{0,3}\t)",
    re.MULTILINE | re.IGNORECASE,
)


class Composed(NamedTuple):
    """`html`: None where it would say nothing more than the content. `mentions`: ids of users, each once, in order."""

    html: str | None
    mentions: tuple[int, ...]


PLAIN = Composed(None, ())


def may_need_html(content: str) -> bool:
    """Whether anything in the content could be more than plain text."""
    if _MARKS.search(content) is None and content[:1] not in _FIRST and "www." not in content:
        return False
    return "@" in content or _FORMATS.search(content) is not None


class Formatting:
    def __init__(self) -> None:
        self._markup = Markup()
        self._highlighting = Highlighting()
        self._cleaner = nh3.Cleaner(
            tags=TAGS,
            attributes=ATTRIBUTES,
            allowed_classes={
                "span": CLASSES | {"mention"},
                "code": {f"language-{language}" for language in LANGUAGES},
            },
            url_schemes=SCHEMES,
            url_relative="deny",
            link_rel=LINK_REL,
        )

    def format(self, content: str, users: Mapping[str, User]) -> Composed:
        """`users`: who may be mentioned, by the key of their name. Takes some ten milliseconds at worst, whatever it is
        given, for up to 2,000 characters."""
        if not users and _FORMATS.search(content) is None:
            return PLAIN
        if content.count("www.") > MAX_HOSTS:
            return self._only_mentions(content, users)
        parsed = self._markup.parse(content, users)
        if parsed.is_plain(content):
            return PLAIN
        if not parsed.is_too_deep():
            for highlighting in (self._highlighting, None):
                html = self._markup.html(parsed, highlighting)
                if len(html) <= MAX_HTML:
                    html = self._cleaner.clean(html)
                    if len(html) <= MAX_HTML:
                        return Composed(html, parsed.mentioned)
        return self._only_mentions(content, users)

    def _only_mentions(self, content: str, users: Mapping[str, User]) -> Composed:
        """As little as can be said of a content that is too much for more."""
        pieces: list[str] = []
        mentioned: list[int] = []
        start = 0
        place = content.find("@") if users else -1
        while place >= 0 and len(mentioned) < MAX_PLACES:
            mention = mention_at(content, place, users)
            end = mention.end if mention else place + 1
            if mention:
                pieces += escape(content[start:place]), mention_html(content[place:end], mention.user.id)
                mentioned.append(mention.user.id)
                start = end
            place = content.find("@", end)
        if not mentioned:
            return PLAIN
        html = "".join(pieces) + escape(content[start:])
        return Composed(
            self._cleaner.clean("<p>" + html.replace("\n", "<br>") + "</p>"), tuple(dict.fromkeys(mentioned))
        )
