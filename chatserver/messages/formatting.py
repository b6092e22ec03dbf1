"""Formatting: a message's content as HTML, if that is more than its plain text.

None of the HTML is trusted: everything the parser made passes an allow-list (nh3) at the end.
"""

from __future__ import annotations

import re
from html import escape
from itertools import islice
from typing import NamedTuple

import nh3

from chatserver.messages.highlighting import CLASSES, LANGUAGES, Highlighting
from chatserver.messages.markdown import LINK_HOST, Markup, mention_html
from chatserver.messages.spellings import Spellings, mention_at

MAX_HTML = 6_000
"""Characters. A longer result is shown without colours; if that does not help, without formatting. Three times the
longest content: coloured code and long lists have that. With more, a long page could be made of next to nothing."""

MAX_LINKS = 40
"""Places in a content where a link may begin: from each of them the parser looks for its end."""

TAGS = frozenset(
    {"a", "blockquote", "br", "code", "em", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s", "span", "strong", "ul"}
)
ATTRIBUTES: dict[str, set[str]] = {"a": {"href"}, "ol": {"start"}, "span": {"data-user-id"}, "*": set()}
SCHEMES = frozenset({"http", "https", "mailto"})
LINK_REL = "noopener noreferrer nofollow"

# Most messages have none of these, so one search tells that there is nothing to format.
_MARKS = re.compile(r"[*_`~\[\\&:@\n]")
_FIRST = frozenset("#>+-0123456789")
# The others are searched once more.
_FORMATS = re.compile(
    r"[*_`~\[\\]|&\#?\w+;|://|mailto:|www\.|\w@\w|^[ ]{0,3}(?:[>\#+-]|\d{1,9}[.)])|^(?:[ ]{4}|[ ]{0,3}\t)",
    re.MULTILINE | re.IGNORECASE,
)


_LINKS = re.compile(r"(?:(?:https?|ftp|mailto):)?(?://)?www\.|(?:https?|ftp|mailto):(?://)?|//|\w@\w", re.IGNORECASE)


class Composed(NamedTuple):
    """`html`: None if it would add nothing to the content. `mentions`: ids of users, each once, in order."""

    html: str | None
    mentions: tuple[int, ...]


PLAIN = Composed(None, ())


def may_need_html(content: str) -> bool:
    """Returns False only if the content is certainly plain text."""
    if _MARKS.search(content) is None and content[:1] not in _FIRST and "www." not in content:
        return False
    return "@" in content or _FORMATS.search(content) is not None


class Formatting:
    def __init__(self) -> None:
        self._markup = Markup()
        self._highlighting = Highlighting()

    def format(self, content: str, spellings: Spellings) -> Composed:
        """Returns the content's HTML and mentions. `spellings`: the users that the content mentions. Takes some ten
        milliseconds for 2,000 characters of human writing; a caller with a deadline for worse contents runs it in a
        process that can be stopped (`formatter_pool.py`)."""
        if not spellings and _FORMATS.search(content) is None:
            return PLAIN
        if _has_too_many_links(content):
            return only_mentions(content, spellings)
        parsed = self._markup.parse(content, spellings)
        if parsed.is_plain(content):
            return PLAIN
        if not parsed.is_too_deep():
            for highlighting in (self._highlighting, None):
                html = self._markup.html(parsed, highlighting)
                if len(html) <= MAX_HTML:
                    html = _clean(html)
                    if len(html) <= MAX_HTML:
                        return Composed(html, parsed.mentioned)
        return only_mentions(content, spellings)


def only_mentions(content: str, spellings: Spellings) -> Composed:
    """Formats only the mentions, of a content that is too much for more."""
    pieces: list[str] = []
    mentioned: list[int] = []
    start = 0
    place = content.find("@") if spellings else -1
    while place >= 0:
        mention = mention_at(content, place, spellings)
        end = mention.end if mention else place + 1
        if mention:
            pieces += escape(content[start:place]), mention_html(content[place:end], mention.user_id)
            mentioned.append(mention.user_id)
            start = end
        place = content.find("@", end)
    if not mentioned:
        return PLAIN
    html = "".join(pieces) + escape(content[start:])
    html = _clean("<p>" + html.replace("\n", "<br>") + "</p>")
    return Composed(html if len(html) <= MAX_HTML else None, tuple(dict.fromkeys(mentioned)))


def _has_too_many_links(content: str) -> bool:
    """Counts as the parser finds links, without regard to case."""
    found = _LINKS.finditer(content)
    return next(islice(found, MAX_LINKS, None), None) is not None


def _clean(html: str) -> str:
    return _cleaner.clean(html)


_cleaner = nh3.Cleaner(
    tags=TAGS,
    attributes=ATTRIBUTES,
    allowed_classes={
        "span": CLASSES | {"mention", LINK_HOST},
        "code": {f"language-{language}" for language in LANGUAGES},
    },
    url_schemes=SCHEMES,
    url_relative="deny",
    link_rel=LINK_REL,
)
