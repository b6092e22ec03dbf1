"""Spellings: the mentioned names as a text writes them; and where one of them begins and ends.

Light, so that the formatting processes need not load the user look-up.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

Spellings = Mapping[str, int]
"""Ids of users, by the name behind an `@` as the text has it."""

_NEVER_BEFORE = "@/."
"""Characters before an `@` in addresses."""


class Mention(NamedTuple):
    """`end`: the position behind the name, in the text where it was found."""

    end: int
    user_id: int


def mention_at(text: str, place: int, spellings: Spellings) -> Mention | None:
    """Returns the mention at the `@` at this position: of several names the longest."""
    if not can_begin(text, place):
        return None
    start = place + 1
    ends = [
        start + len(name) for name in spellings if text.startswith(name, start) and can_end(text, start + len(name))
    ]
    end = max(ends, default=None)
    return None if end is None else Mention(end, spellings[text[start:end]])


def can_begin(text: str, place: int) -> bool:
    """Returns False if the `@` at this position is part of an address."""
    return place == 0 or not (_is_of_a_word(text[place - 1]) or text[place - 1] in _NEVER_BEFORE)


def can_end(text: str, end: int) -> bool:
    """Returns True if a name up to `end` ends there, and not in the middle of a word."""
    last = text[end - 1]
    return not last.isspace() and not (_is_of_a_word(last) and end < len(text) and _is_of_a_word(text[end]))


def _is_of_a_word(character: str) -> bool:
    """Counts invisible characters (category Cf) as part of a word: or "@A" would be found in what looks like "@Ada"."""
    return character.isalnum() or character == "_" or unicodedata.category(character) in {"Mn", "Mc", "Me", "Cf"}
