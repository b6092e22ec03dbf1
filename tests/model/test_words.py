"""The words of a text, and of a query; and what of the text is shown."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatserver.model.words import MAX_LENGTH, MAX_WORDS, search_words
from chatserver.search.query import SNIPPET, Query

quick = settings(max_examples=200, deadline=None, database=None, derandomize=True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("!? — …", []),
        ("Hello, hello WORLD", ["hello", "world"]),
        ("don't snake_case a1-b2", ["don", "t", "snake", "case", "a1", "b2"]),
        ("Café CAFE\u0301 Łódź Ærø STRASSE straße", ["cafe", "lodz", "aero", "strasse"]),
        ("ＦＵＬＬ ﬁne ℌ", ["full", "fine", "h"]),
        ("Ελλάδα ελλαδα Ё е", ["ελλαδα", "е"]),
        ("हिन्दी", ["हिन्दी"]),
        ("漢字検索", ["漢字", "字検", "検索", "索"]),
        ("x漢字y", ["x", "漢字", "字", "y"]),
        ("สวัสดี", ["สว", "วั", "ัส", "สด", "ดี", "ี"]),
        ("x" * 100, ["x" * MAX_LENGTH]),
    ],
)
def test_the_words_of_a_text(text: str, words: list[str]) -> None:
    assert search_words(text) == [unicodedata.normalize("NFKD", word) for word in words]


def test_a_message_has_so_many_words_and_not_more() -> None:
    words = search_words(" ".join(str(number) for number in range(10**3)))
    assert words == [str(number) for number in range(MAX_WORDS)]


def test_of_signs_that_stand_for_sentences_no_more_is_looked_at_than_of_a_long_text() -> None:
    assert "last" in search_words("각 " * 995 + "last"), "which is as long as a message in any script"
    assert "last" not in search_words("ﷺ " * 995 + "last")


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", None),
        (" ?! ", None),
        ("Hello wor", Query(("hello",), ("wor",), ())),
        ("検索", Query((), (), ("検索",))),
        ("é 検", Query(("e",), (), ("検",))),
        ("検索 abc", Query((), ("abc",), ("検索",))),
    ],
)
def test_the_words_of_a_query(query: str, wanted: Query | None) -> None:
    assert Query.read(query) == wanted


@pytest.mark.parametrize(
    ("query", "text", "marked"),
    [
        ("hello", "Hello, hellos!", "[Hello], [hello]s!"),
        ("hello x", "hello x, xs; hellos", "[hello] [x], [x]s; hellos"),
        ("cafe", "CAFÉ cafe\u0301", "[CAFÉ] [cafe\u0301]"),
        ("strasse", "die Straße", "die [Straße]"),
        ("fi", "ﬁne", "[ﬁ]ne"),
        ("検索", "漢字検索する検索", "漢字[検索]する[検索]"),
        ("検", "漢字検索", "漢字[検]索"),
        ("nothing", "<b>else</b>", "<b>else</b>"),
    ],
)
def test_hits_are_marked_where_they_are(query: str, text: str, marked: str) -> None:
    wanted = Query.read(query)
    assert wanted is not None
    assert "".join(f"[{piece}]" if is_hit else piece for piece, is_hit in wanted.marked(text)) == marked


@pytest.mark.parametrize(
    ("query", "text", "snippet"),
    [
        ("b", "a\n\nb  c", "a b c"),
        ("needle", "x " * 200 + "needle" + " y" * 200, "…" + "x " * 20 + "needle" + " y" * 56 + "…"),
        ("needle", "needle" + " y" * 200, "needle" + " y" * 76 + "…"),
        ("needle", "x " * 200 + "needle", "…" + "x " * 76 + "needle"),
        ("b", "a" * 500 + " b", "…" + "a" * 157 + " b"),
        ("検索", "漢" * 200 + "検索" + "字" * 200, "…" + "漢" * 40 + "検索" + "字" * 116 + "…"),
    ],
)
def test_a_snippet_is_the_text_around_the_first_hit(query: str, text: str, snippet: str) -> None:
    wanted = Query.read(query)
    assert wanted is not None
    assert wanted.snippet(text) == snippet
    assert len(snippet) <= SNIPPET


letters = st.text(st.sampled_from("aáBß \n漢字、-е😀\u0301ﬁ") | st.characters(exclude_categories=["Cs"]), max_size=300)


@quick
@given(text=letters, place=st.integers(0, 300), length=st.integers(1, 12))
def test_a_snippet_shows_what_was_found(text: str, place: int, length: int) -> None:
    wanted = Query.read(text[place : place + length])
    if wanted is None:
        return
    text = " ".join(text.split())
    snippet = wanted.snippet(text)
    assert len(snippet) <= SNIPPET
    assert snippet.removeprefix("…").removesuffix("…").strip() in text
    assert "".join(piece for piece, _ in wanted.marked(text)) == text
    if any(True for _ in wanted.hits(text)):
        start, end = next(wanted.hits(text))
        if end - start < 60:
            assert text[start:end] in snippet


@quick
@given(letters)
def test_what_is_searched_for_as_it_was_written_is_found(text: str) -> None:
    wanted = Query.read(text[:60])
    if wanted is not None:
        words = search_words(text)
        for condition in wanted.conditions():
            assert condition in words if isinstance(condition, str) else any(map(condition.try_compile().match, words))
        assert wanted.is_in(text)
