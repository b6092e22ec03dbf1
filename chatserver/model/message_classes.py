"""Message classes: the appearance of a message, as far as its text decides it.

It is decided once, when the message is written, and kept with it unless it is plain. A message without a `look` is
plain, or from before looks were kept: a page judges it again, in linear time, and so does the browser, by the same
rules in static/js/talk/message_classes.js. Change both; a test compares them.
"""

from __future__ import annotations

import re

from chatserver.model.events import Look, Message

_MOST_EMOJI = 6
"""Most emoji that are shown large."""

_MOST_CHARACTERS = 120
"""Longest text of nothing but emoji: each emoji in use has at most ten characters."""

_LINE = 80
_MOST_LINES = 22
"""Most lines, of _LINE characters, that are shown at once."""


def classes(message: Message, user_id: int) -> str:
    """Returns the class attribute of the message's row, for the reader with this id."""
    look = look_of(message)
    marks = {
        "message--deleted": message.deleted,
        "message--mention": not message.deleted and user_id in (message.mentions or ()),
        "message--emoji": look == "emoji",
        "message--long": look == "long",
    }
    return " ".join(["message", *(name for name, holds in marks.items() if holds)])


def look_of(message: Message) -> str:
    """Returns the look that was decided when the message was written."""
    return judge(message.content) if message.look is None else message.look


def look_to_keep(text: str) -> Look | None:
    """Returns the look to store; None for plain texts, which most are, to save a field in every message."""
    look = judge(text)
    return None if look == "plain" else look


def judge(text: str) -> Look:
    """Returns `long` if only the beginning is shown at first, `emoji` for nothing but a few of them, shown large, or
    `plain`."""
    if _is_long(text):
        return "long"
    return "emoji" if _is_only_emoji(text) else "plain"


def _is_only_emoji(text: str) -> bool:
    if text.isascii() or len(text) > _MOST_CHARACTERS:
        return False
    return _only_emoji.fullmatch(text) is not None


def _is_long(text: str) -> bool:
    if text.count("\n") + 1 + len(text) // _LINE <= _MOST_LINES:  # each line, and the most that wrapping adds
        return False
    return sum(max(1, -(-len(line) // _LINE)) for line in text.split("\n")) > _MOST_LINES


def _emoji() -> str:
    """Returns a pattern of one emoji: a character that shows as a picture by itself, or with U+FE0F, or several of them
    joined by U+200D."""
    flag = "[\U0001f1e6-\U0001f1ff]{2}"
    keycap = "[0-9#*]\ufe0f?\u20e3"
    picture = (
        "[\U0001f000-\U0001faff\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f"
        "\u2693\u26a1\u26aa\u26ab\u26bd\u26be\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd"
        "\u2705\u270a\u270b\u2728\u274c\u274e\u2753-\u2755\u2757\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c"
        "\u2b50\u2b55]\ufe0f?"
    )
    sign = "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299]"
    tone = "[\U0001f3fb-\U0001f3ff]"
    tag = "[\U000e0020-\U000e007f]"
    shown = f"(?:{picture}|{sign}(?:\ufe0f|(?=\u200d)|(?={tone}))){tone}?{tag}*"
    one = f"(?:{flag}|{keycap}|{shown})"
    return rf"{one}(?:\u200d(?:{one}|{sign}))*"


# A match is not retried in another way (`?>`, `*+`): a text has many equivalent ones.
_only_emoji = re.compile(rf"(?:(?>{_emoji()})\s*+){{1,{_MOST_EMOJI}}}")
