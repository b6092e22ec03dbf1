"""How a message looks is decided by the same rules on the server and in the browser."""

from __future__ import annotations

import pytest

from chatserver.looks import is_long, is_only_emoji

EMOJI = ("🎉", "👍🏽", "❤️", "👩‍👩‍👧", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🇩🇪", "3️⃣", "☝🏽", "🏃‍♂️", "🎉 🎉\n🎉", "🇩🇪🇫🇷", "⭐⭐⭐⭐⭐⭐", "❤️‍🔥")
NOT_EMOJI = ("", "a", "1", "12", "🎉!", "→", "©", "😀a", "⭐⭐⭐⭐⭐⭐⭐", "<b>", "é", "\ufe0f", "\u200d")


@pytest.mark.parametrize("text", EMOJI)
def test_nothing_but_a_few_emoji_is_shown_large(text: str) -> None:
    assert is_only_emoji(text)


@pytest.mark.parametrize("text", NOT_EMOJI)
def test_anything_else_is_not(text: str) -> None:
    assert not is_only_emoji(text)


def test_what_takes_many_lines_is_long() -> None:
    assert is_long("\n" * 22)
    assert is_long("x" * 1_800)
    assert not is_long("\n" * 21)
    assert not is_long("x" * 1_700)
