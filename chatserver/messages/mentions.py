"""Mentions: where a text says `@` and somebody's name.

Names may have spaces and marks of all kinds, so nothing in the text tells where one ends: each place behind the `@`
where a word ends may be its end, and the longest name that somebody has wins. Each `@` is looked at once, here; what
was found goes on as it is spelled (`spellings.py`), which costs the same however Unicode expands it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from chatserver.messages.spellings import Spellings, can_begin, can_end
from chatserver.model.display_names import MAX_USER_NAME, name_key
from chatserver.model.users import User

MAX_PLACES = 20
"""How many `@` of a message are looked at: more is a list of people, and a list of people is a room."""

MAX_ENDS = 12
"""Ends of words and marks behind an `@` up to which a name may go."""


class Candidate(NamedTuple):
    """A name that a text may mean: as the text spells it, and its key (see `name_key`)."""

    spelling: str
    key: str


def candidates(text: str) -> list[Sequence[Candidate]]:
    """For each `@` the names that it may mean, the shortest first. Few of them are anybody's."""
    found: list[Sequence[Candidate]] = []
    place = text.find("@")
    while place >= 0 and len(found) < MAX_PLACES:
        if at_place := list(_candidates_at(text, place)):
            found.append(at_place)
        place = text.find("@", place + 1)
    return found


def possible_names(found: Sequence[Sequence[Candidate]]) -> set[str]:
    """The keys of all of them."""
    return {each.key for at_place in found for each in at_place}


def spellings(found: Sequence[Sequence[Candidate]], users: Mapping[str, User]) -> Spellings:
    """Whom they mean. `users`: those that are known, by the key of their name."""
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
