"""Mentions: where a text says `@` and somebody's name.

Names may have spaces and marks of all kinds, so nothing in the text tells where one ends: each place behind the `@`
where a word ends may be its end, and the longest name that somebody has wins.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from chatserver.accounts import MAX_NAME, User
from chatserver.names import name_key

MAX_PLACES = 20
"""How many `@` of a message are looked at: more is a list of people, and a list of people is a room."""

MAX_ENDS = 12
"""Ends of words and marks behind an `@` up to which a name may go."""

_NEVER_BEFORE = "@/."
"""What stands in front of an `@` in addresses."""


class Mention(NamedTuple):
    """`end`: the place behind the name, in the text where it was found."""

    end: int
    user: User


def possible_names(text: str) -> set[str]:
    """The keys (see `name_key`) of all names that the text may mean. Few of them are anybody's."""
    keys: set[str] = set()
    place = text.find("@")
    count = 0
    while place >= 0 and count < MAX_PLACES:
        found = {key for _, key in _candidates(text, place)}
        count += bool(found)
        keys |= found
        place = text.find("@", place + 1)
    return keys


def mention_at(text: str, place: int, users: Mapping[str, User]) -> Mention | None:
    """Who is mentioned by the `@` at this place. `users`: those that are known, by the key of their name."""
    for end, key in reversed(list(_candidates(text, place))):
        if key in users:
            return Mention(end, users[key])
    return None


def _candidates(text: str, place: int) -> Iterator[tuple[int, str]]:
    """Where a name behind the `@` may end, and the key of the name that it is then; the shortest first."""
    if place > 0 and (_is_of_a_word(text[place - 1]) or text[place - 1] in _NEVER_BEFORE):
        return
    start = place + 1
    ends = 0
    for end in range(start + 1, min(start + MAX_NAME, len(text)) + 1):
        last = text[end - 1]
        if last == "\n" or text[start].isspace() or ends == MAX_ENDS:
            return
        if not last.isspace() and not (_is_of_a_word(last) and end < len(text) and _is_of_a_word(text[end])):
            ends += 1
            yield end, name_key(text[start:end])


def _is_of_a_word(character: str) -> bool:
    return character.isalnum() or character == "_" or unicodedata.category(character)[0] == "M"
