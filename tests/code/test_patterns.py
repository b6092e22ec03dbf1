"""Whatever people write, no pattern that sees it, and nothing else that reads it on the event loop, takes long."""

from __future__ import annotations

import contextlib
import itertools
import re
import time
import unicodedata
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import pytest
import regex

from chatserver.errors import Invalid
from chatserver.messages.formatter_pool import SHORT_CHARACTERS
from chatserver.messages.formatting import Formatting, may_need_html, only_mentions
from chatserver.messages.formatting_worker import CPU_SECONDS
from chatserver.messages.mentions import candidates
from chatserver.messages.messages import MAX_CONTENT
from chatserver.model.display_names import clean_name, name_key
from chatserver.model.message_classes import judge
from chatserver.model.words import search_words
from chatserver.search.query import Query
from chatserver.web.handlers.search import MAX_QUERY
from tests.helpers.patterns_found import POOL, Found, hard_words, of_python, texts_of

LIMIT_SECONDS = 0.02
LONGEST_BODY = 64 * 1024
LONGEST_HEAD = 16 * 1024

NEVER_SEES_WHAT_PEOPLE_WRITE = {
    "chatserver.app._DRIVERS_OWN_STATE": "errors of drivers at the start",
    "chatserver.web.js_bundle._EXPORT": "our scripts",
    "chatserver.web.js_bundle._IMPORT": "our scripts",
    "chatserver.web.js_bundle._LATER": "our scripts",
    "chatserver.web.js_bundle._OTHER": "our scripts",
    "chatserver.web.js_bundle._RENAMED": "our scripts",
    "chatserver.log.keys._LOG_KEY": "keys of Redis",
    "chatserver.support.redis_trust._HEROKU": "the operator's settings",
    "chatserver.settings._has_plain_ports": "the operator's settings",
    "chatserver.web.static_files._COMMENT": "our files",
}

WITHIN = {
    "chatserver.messages.links.__init__": "test_what_is_formatted_at_once_is_soon_formatted",
    "chatserver.search.query._parts_of": "test_what_reads_a_text_is_soon_done",
}
"""Patterns that are made within a function, and the test that runs them."""

LONGEST = {
    "chatserver.model.client_ids._CLIENT_ID": LONGEST_BODY,
    "chatserver.model.cursor._CANONICAL": LONGEST_HEAD,
    "chatserver.model.cursor._ROOM": LONGEST_HEAD,
}
"""Characters that may reach a pattern, where those are more than a message has."""

RUN: dict[str, Callable[[Any, str], object]] = {
    "search": lambda pattern, text: pattern.search(text),
    "match": lambda pattern, text: pattern.match(text),
    "fullmatch": lambda pattern, text: pattern.fullmatch(text),
    "findall": lambda pattern, text: pattern.findall(text),
    "finditer": lambda pattern, text: deque(pattern.finditer(text), maxlen=0),
    "split": lambda pattern, text: pattern.split(text),
    "sub": lambda pattern, text: pattern.sub("", text),
}

PATTERNS = [found for found in of_python() if found.name not in NEVER_SEES_WHAT_PEOPLE_WRITE]

PIECES = [
    "*",
    "**",
    "_",
    "~~",
    "`",
    "```",
    "[",
    "](",
    "](http://a.b)",
    "<",
    "<http:",
    "&",
    "&#",
    "\\",
    ">",
    "-",
    "1.",
    "#",
    "@",
    "@a",
    "ﷺ",
    "@ﷺ",
    "http://",
    "HTTPS://",
    "://",
    "//",
    "www.",
    "WWW.",
    "wWw.é.",
    "mailto:",
    "MAILTO:",
    "a@",
    "a@b.",
    "xn--",
    "é",
    "-",
    ".",
    "/",
    ":",
    "?",
    "(",
    ")",
    "'",
    '"',
    "a",
    "|",
    "=",
    "ftp://",
    "!",
    "{",
    "a.",
    "www.a",
    "@Ada",
    "̀̕",
    "\u200d",
    "\u202e",
    "漢",
    "0",
    "\n",
    " ",
    "\t",
    "    ",
    "> ",
    "- ",
    "\n\n",
]


def seconds(act: Callable[[str], object], text: str) -> float:
    """Of the processor. What else the machine does may make it longer, never shorter."""
    shortest = float("inf")
    for _ in range(20):
        start = time.thread_time()
        act(text)
        shortest = min(shortest, time.thread_time() - start)
        if shortest < LIMIT_SECONDS:
            break
    return shortest


def assert_soon_done(act: Callable[[str], object], texts: Iterable[str], limit: float = LIMIT_SECONDS) -> None:
    for text in texts:
        taken = seconds(act, text)
        assert taken < limit, f"{taken:.3f} s for {len(text)} characters: {text[:60]!a}"


def test_every_pattern_is_known() -> None:
    known = {found.name for found in of_python()}
    assert len(known) > 25
    assert NEVER_SEES_WHAT_PEOPLE_WRITE.keys() | WITHIN.keys() | LONGEST.keys() <= known
    assert [found.name for found in PATTERNS if found.pattern is None and found.name not in WITHIN] == []


@pytest.mark.parametrize("found", [each for each in PATTERNS if each.pattern is not None], ids=lambda each: each.name)
def test_no_pattern_takes_long_over_any_repetition(found: Found) -> None:
    pattern = found.pattern
    engine: Any = re if isinstance(pattern, re.Pattern) else regex
    words = list(hard_words(pattern.pattern, lambda part: engine.compile(part, pattern.flags & ~re.VERBOSE)))
    assert len(words) > 3
    for method in found.methods:
        run = partial(RUN[method], pattern)
        assert_soon_done(run, texts_of(words, LONGEST.get(found.name, MAX_CONTENT)))


@pytest.mark.parametrize("slow", [r"(a+)+$", r"(?:\w+ ?)*!", r"(?:a|b|ab)*c"])
def test_a_pattern_that_takes_long_is_noticed(slow: str) -> None:
    with pytest.raises(AssertionError, match="characters"):
        test_no_pattern_takes_long_over_any_repetition(Found("slow", frozenset({"search"}), re.compile(slow)))


def repeats(pieces: Iterable[str], longest: int, together: int = 2) -> Iterable[str]:
    pieces = list(pieces)
    for count in range(1, together + 1):
        for words in itertools.product(pieces, repeat=count):
            word = "".join(words)
            yield (word * (longest // len(word) + 1))[:longest]


SPELLINGS = {"Ada": 3, "a": 5, "ﷺ": 6}


@pytest.mark.parametrize("before", ["www.", "http://", "https://a@", "mailto:a@", "//", "a@"])
@pytest.mark.parametrize("label", ["xn--a.", "xn--www.", "a-.", "é.", "xn--"])
def test_a_host_of_many_labels_is_soon_found_to_be_none(before: str, label: str) -> None:
    """The patterns of linkify-it try two ways for each label: 300 characters held the chat for ever."""
    formatting = Formatting()
    texts = [f"*{before}{label * count}{end}" for count in range(1, 40) for end in ("xn-", "-", "_", "a_", "'")]
    assert_soon_done(lambda text: formatting.format(text, {}), (text[:SHORT_CHARACTERS] for text in texts))


def test_what_is_formatted_at_once_is_soon_formatted() -> None:
    formatting = Formatting()
    texts = (f"*{text}"[:SHORT_CHARACTERS] for text in repeats(PIECES, SHORT_CHARACTERS))
    assert_soon_done(lambda text: formatting.format(text.strip(), SPELLINGS), texts)


def test_what_other_processes_format_is_formatted_long_before_they_are_ended() -> None:
    formatting = Formatting()
    texts = (f"*{text}"[:MAX_CONTENT] for text in repeats(PIECES, MAX_CONTENT, together=1))
    assert_soon_done(lambda text: formatting.format(text.strip(), SPELLINGS), texts, CPU_SECONDS / 2)


WANTED = Query(("ada",), ("a",), ("漢字", "漢"))


@pytest.mark.parametrize(
    "read",
    [
        judge,
        may_need_html,
        candidates,
        lambda text: only_mentions(text, SPELLINGS),
        search_words,
        WANTED.marked,
        WANTED.snippet,
        WANTED.is_in,
        lambda text: Query.read(text[:MAX_QUERY]),
    ],
    ids=[
        "judge",
        "may_need_html",
        "candidates",
        "only_mentions",
        "search_words",
        "marked",
        "snippet",
        "is_in",
        "query",
    ],
)
def test_what_reads_a_text_is_soon_done(read: Callable[[str], object]) -> None:
    assert_soon_done(read, repeats([*PIECES, *POOL], MAX_CONTENT, together=1))
    assert_soon_done(read, repeats([*" @aéﷺ漢©", "\u200d", "\u0300\u0315", "@Ada ", " @ﷺ-"], MAX_CONTENT, together=2))


MARKS = ["\u0315\u0300", "\u0345\u0300\u0315\u0323", "ﷺ", "a\u0300", "가", "\u1112\u1161\u11ab", " ", "a"]


def clean(name: str) -> None:
    with contextlib.suppress(Invalid):
        clean_name(name, 64)


@pytest.mark.parametrize("read", [name_key, clean])
def test_a_name_as_long_as_a_request_is_soon_refused(read: Callable[[str], object]) -> None:
    """To bring 32,000 marks into their order takes half a second, signed in or not."""
    for mark in MARKS:
        most = LONGEST_BODY // len(mark.encode()) * len(mark)
        assert_soon_done(read, (start + (mark * most)[:most] for start in ("a", " a", "\t\n a")))


def test_what_is_too_long_to_be_a_name_is_nobodys() -> None:
    assert name_key("a" * 2_000) == name_key("b" * 2_000) == ""
    decomposed = unicodedata.normalize("NFD", "ệ" * 64)
    assert name_key(decomposed) == name_key("ệ" * 64)
    assert clean_name(decomposed, 64) == "ệ" * 64
