"""A cursor is a place in a log, with one spelling and the log's own order."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.model.cursor import BEGINNING, END, Cursor

numbers = st.integers(min_value=0, max_value=2**63 - 1)
cursors = st.builds(Cursor, numbers, numbers)


@given(cursors)
def test_a_cursor_survives_the_wire(cursor: Cursor) -> None:
    assert Cursor.parse(str(cursor)) == cursor


@given(cursors, cursors)
def test_cursors_compare_by_milliseconds_then_by_sequence(a: Cursor, b: Cursor) -> None:
    assert (a < b) == (a.ms < b.ms or (a.ms == b.ms and a.seq < b.seq))


def test_zero_is_the_beginning() -> None:
    assert Cursor.parse("0") == BEGINNING == Cursor.parse("0-0")
    assert BEGINNING < Cursor(1, 0) < END


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "-", "1", "1-", "-1", "1-2-3", "01-0", "1-00", "+1-0", "1 -0", " 1-0", "1-0 ", "1-0\n", "1-0\r\n",
        "1-0,2-0", "a-b", "1-a", "0x1-0", "1.0-0", "١-٢", "1-²", "9" * 20 + "-0", "0-" + "9" * 20, "9223372036854775808-0",
        "$", "*", "+", "\0", "1-0\0", "(1-0", "é", "9" * 65536,
    ],
)  # fmt: skip
def test_anything_else_is_not_a_cursor(text: str) -> None:
    with pytest.raises(ValueError, match="cursor"):
        Cursor.parse(text)


@given(st.text())
def test_no_text_does_more_than_raise_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert str(Cursor.parse(text)) == ("0-0" if text == "0" else text)
