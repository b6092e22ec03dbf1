"""Links: finds those without brackets, and makes each show its true target.

The text of a link is as it was written, never a prettier spelling of it: a host in punycode stays in punycode. If a
text looks like an address and the link leads to another host, that host follows it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import regex
from linkify_it import LinkifyIt  # type: ignore[import-untyped]
from linkify_it.ucre import SRC_DOMAIN, SRC_PSEUDO_LETTER  # type: ignore[import-untyped]
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

LONGEST_LABEL = 63
"""Characters of a part of a host's name (RFC 1035)."""

_SAFE_LINK = re.compile(r"(?:https?://|mailto:)[^/]", re.IGNORECASE)
_SCHEME = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_TURNING = regex.compile(r"\p{Bidi_Control}")
_UNSEEN = regex.compile(r"[\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Cc}\p{Cf}\p{Z}]")
_LIKE_AN_ADDRESS = re.compile(
    r"//|\bhttps?\b|\bwww\b|\w@\w|\w[.\u00b7\u2022\u2027\u2219\u22c5\u30fb\u06d4\u3002]\w\w|\d\.\d+\.\d"
)

# linkify-it has three alternatives (a label in punycode, of one letter, of several), of which a text may fit two at
# each dot: that makes 2^n ways for n labels, all tried if the end does not fit. Here there is one.
_LABEL = f"(?>{SRC_PSEUDO_LETTER}(?:-*{SRC_PSEUDO_LETTER}){{0,62}})"


class Linkifier(LinkifyIt):  # type: ignore[misc]
    """Finds addresses with a scheme, those that begin with `www.` and those of mail."""

    re: dict[str, Any]

    def __init__(self) -> None:
        super().__init__(options={"fuzzy_link": False})  # main.py and and.so on are no hosts
        rest = "^(?:{src_host_port_strict}{src_path})".format_map(self.re)
        self.add("www.", {"validate": re.compile(rest, re.IGNORECASE), "normalize": _with_scheme})

    def _on_compile(self) -> None:
        """Called by LinkifyIt before it puts its patterns together."""
        assert SRC_DOMAIN in self.re["src_host"]
        self.re = {name: part.replace(SRC_DOMAIN, _LABEL) for name, part in self.re.items()}


def _with_scheme(linkify: Any, match: Any) -> None:
    match.url = f"https://{match.url}"


def is_safe(url: str) -> bool:
    """Returns True for a link with a harmless scheme to a host that is what it looks like.

    `url`: as it will stand in the link, in ASCII.
    """
    host = _host(url) if _SAFE_LINK.match(url) else None
    return bool(host) and not any(_hides_something(label) for label in str(host).split("."))


def as_written(url: str) -> str:
    """Returns the text of a link without brackets."""
    return _UNSEEN.sub(_escaped, url)


def say_where(state: StateCore) -> None:
    """A rule for markdown-it: adds the host behind each link whose text looks like another address."""
    for token in state.tokens:
        if token.children and any(child.type == "link_open" for child in token.children):
            token.children = list(_with_hosts(token.children))


def _with_hosts(tokens: Sequence[Token]) -> Iterator[Token]:
    url: str | None = None
    text: list[str] = []
    for token in tokens:
        if token.type == "link_open":
            url, text = str(token.attrGet("href") or ""), []
        elif url is not None:
            token.content = _TURNING.sub(_escaped, token.content)
            text.append(token.content or " ")
        yield token
        if token.type == "link_close" and url is not None:
            host, url = _host_unsaid("".join(text).strip(), url), None
            if host:
                where = Token("link_host", "", 0)
                where.content = host
                yield where


def _host_unsaid(text: str, url: str) -> str | None:
    """Returns the link's host, unless its text begins with it or does not look like an address at all."""
    host = _host(url) or ""
    said = _SCHEME.sub("", text, count=1).lower()
    if said.startswith(host) and said[len(host) : len(host) + 1] in {"", "/", "?", "#", ":"}:
        return None
    seen = _UNSEEN.sub("", unicodedata.normalize("NFKC", text))
    return host if _LIKE_AN_ADDRESS.search(seen.casefold()) else None


def _host(url: str) -> str | None:
    """Returns the target of a link: a host's name, or an address of mail. None if no browser would follow it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return unquote(parts.path).lower() if parts.scheme == "mailto" else parts.hostname


def _hides_something(label: str) -> bool:
    """Returns True for a label with invisible characters, or a spelling that browsers take for something else."""
    if label.startswith("xn--"):
        try:
            label = label[4:].encode("ascii").decode("punycode") if len(label) <= LONGEST_LABEL else "%"
        except (UnicodeError, ValueError, OverflowError):
            return False  # no browser goes there
    return "%" in label or "\\" in label or _UNSEEN.search(label) is not None


def _escaped(found: Any) -> str:
    return quote(found[0])
