"""How a message looks is decided once, by the same rules on the server and in the browser."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.model.events import Message
from chatserver.model.message_classes import classes, judge, look_of

EMOJI = ("🎉", "👍🏽", "❤️", "👩‍👩‍👧", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🇩🇪", "3️⃣", "☝🏽", "🏃‍♂️", "🎉 🎉\n🎉", "🇩🇪🇫🇷", "⭐⭐⭐⭐⭐⭐", "❤️‍🔥", "👩‍❤️‍💋‍👨" * 6)  # fmt: skip
NOT_EMOJI = ("", "a", "1", "12", "🎉!", "→", "©", "😀a", "⭐⭐⭐⭐⭐⭐⭐", "<b>", "é", "\ufe0f", "\u200d", "🎉 🎉 →", "🎉" + " " * 200)  # fmt: skip
LINES = ("\n" * 22, "\n" * 21, "x" * 1_800, "x" * 1_700, "🎉" * 1_800)


@pytest.mark.parametrize("text", EMOJI)
def test_nothing_but_a_few_emoji_is_shown_large(text: str) -> None:
    assert judge(text) == "emoji"


@pytest.mark.parametrize("text", NOT_EMOJI)
def test_anything_else_is_not(text: str) -> None:
    assert judge(text) == "plain"


def test_what_takes_many_lines_is_long() -> None:
    assert [judge(text) for text in LINES] == ["long", "plain", "long", "plain", "long"]


@given(st.lists(st.integers(0, 330), max_size=30))
def test_lines_are_counted_as_they_are_shown(lengths: list[int]) -> None:
    """Each takes a line, and one more for each 80 characters that it is over; 22 are shown."""
    shown = sum(max(1, math.ceil(length / 80)) for length in lengths)
    assert judge("\n".join("x" * length for length in lengths)) == ("long" if shown > 22 else "plain")


def message(content: str, look: str | None = None) -> Message:
    return Message("10-0", "9-0", 42, 7, "ada", content, "2026-11-24T09:41:00.000Z", "c-1", look=look)


def test_what_was_decided_counts_and_what_was_not_is_judged() -> None:
    assert look_of(message("🎉", "plain")) == "plain"
    assert classes(message("hello", "long"), 7) == "message message--long"
    assert classes(message("🎉"), 7) == "message message--emoji"
