"""Mentions: the places where a text has `@` and a user's name.

Names may have spaces and marks of all kinds, so nothing in the text tells where one ends: each end of a word behind the
`@` is a candidate, and the longest name that a user has wins. Each `@` is examined once, here; a mention that was found
is passed on as it is spelled (`spellings.py`), which costs the same however Unicode expands it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from chatserver.messages.spellings import Spellings, can_begin, can_end
from chatserver.model.display_names import MAX_USER_NAME, name_key
from chatserver.model.users import User

MAX_PLACES = 20
"""Places with an `@` that are examined. Further ones are ignored: a message to so many people belongs in a room."""

MAX_ENDS = 12
"""Ends of words and marks behind an `@` that are tried as the end of a name."""


class Candidate(NamedTuple):
    """A possible name in a text: its spelling there, and its key (see `name_key`)."""

    spelling: str
    key: str


def candidates(text: str) -> list[Sequence[Candidate]]:
    """Returns for each `@` the possible names, the shortest first. Most of them are no user's."""
    found: list[Sequence[Candidate]] = []
    place = text.find("@")
    while place >= 0 and len(found) < MAX_PLACES:
        if at_place := list(_candidates_at(text, place)):
            found.append(at_place)
        place = text.find("@", place + 1)
    return found


def possible_names(found: Sequence[Sequence[Candidate]]) -> set[str]:
    """Returns the keys of all candidates."""
    return {each.key for at_place in found for each in at_place}


def spellings(found: Sequence[Sequence[Candidate]], users: Mapping[str, User]) -> Spellings:
    """Returns the ids of the mentioned users, by the spelling of their names. `users`: the known ones, by the key of
    their name."""
    longest = (next((each for each in reversed(at_place) if each.key in users), None) for at_place in found)
    return {each.spelling: users[each.key].id for each in longest if each is not None}


def _candidates_at(text: str, place: int) -> Iterator[Candidate]:
    if not can_begin(text, place):
        return
    start = place + 1
    ends = 0
    for end in range(start + 1, min(start + MAX_USER_NAME, len(text)) + 1):
        if text[end - 1] == "\n" or text[start].isspace() or ends == MAX_ENDS:
            return
        if can_end(text, end):
            ends += 1
            name = text[start:end]
            yield Candidate(name, name_key(name))
