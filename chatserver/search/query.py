"""What somebody searches for, and where a text has it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bson.regex import Regex

from chatserver.model.words import MAX_LENGTH, fold_text, pairs, runs

MAX_WORDS = 12
"""Of a query; the others are not looked for."""

SNIPPET = 160
"""Characters."""

_BEFORE = 40
"""Of them, about how many stand in front of the first hit."""


class Query(NamedTuple):
    """Words that must all be in a text, folded. `beginnings`: a word begins so. `parts`: runs of characters of scripts
    without spaces, which a longer run may have in it."""

    words: tuple[str, ...]
    beginnings: tuple[str, ...]
    parts: tuple[str, ...]

    @classmethod
    def read(cls, query: str) -> Query | None:
        """None for a query without any word. Its last word may be the beginning of one."""
        folded = fold_text(query)
        words: list[str] = []
        parts: list[str] = []
        beginnings: list[str] = []
        found = list(runs(folded))[:MAX_WORDS]
        for number, (start, end, is_spaceless) in enumerate(found, 1):
            if is_spaceless:
                parts.append(folded[start:end])
            elif number == len(found):
                beginnings.append(folded[start:end])
            else:
                words.append(folded[start:end])
        return cls(tuple(words), tuple(beginnings), tuple(parts)) if found else None

    def conditions(self) -> list[str | Regex[str]]:
        """What `messages.words` must all have, those first that fewer messages have."""
        # In the index a part's last character stands alone only where the run ends: it may be followed by another.
        of_parts = [pair for part in self.parts for pair in pairs(part)[: max(1, len(part) - 1)]]
        exact = [*(each for each in of_parts if len(each) == 2), *sorted(self.words, key=len, reverse=True)]
        begin = [*(each for each in of_parts if len(each) == 1), *self.beginnings]
        # Not as patterns of Python: those bring a flag with which MongoDB looks through the whole index.
        patterns = [Regex("^" + each[:MAX_LENGTH]) for each in begin]
        return [*dict.fromkeys(each[:MAX_LENGTH] for each in exact), *patterns]

    def is_in(self, text: str) -> bool:
        """Whether the runs of a text have the parts as they are. For all else the index is right."""
        if all(len(part) <= 2 for part in self.parts):
            return True
        folded = fold_text(text)
        return all(part in folded for part in self.parts)

    def hits(self, text: str) -> Iterator[tuple[int, int]]:
        """Where the text has what is wanted, in order."""
        folded, places = _folded_with_places(text)
        for start, end, is_spaceless in runs(folded):
            word = folded[start:end]
            if is_spaceless:
                for first, last in _parts_of(word, self.parts):
                    yield places[start + first], _end(places, start + last)
                continue
            length = (
                len(word)
                if word in self.words
                else max((len(each) for each in self.beginnings if word.startswith(each)), default=0)
            )
            if length:
                yield places[start], _end(places, start + length)

    def snippet(self, text: str) -> str:
        """Plain text around the first hit, in one line."""
        text = " ".join(text.split())
        if len(text) <= SNIPPET:
            return text
        first = next(self.hits(text), (0, 0))[0]
        start = max(0, min(first - _BEFORE, len(text) - SNIPPET + 1))
        if start:
            space = text.find(" ", start - 1, min(first, start + _BEFORE // 2))
            start = space + 1 if space >= 0 else start
        length = SNIPPET - (start > 0)
        if start + length >= len(text):
            return "…" + text[start:]
        end = start + length - 1
        space = text.rfind(" ", max(first + 1, end - _BEFORE), end + 1)
        end = space if space > 0 else end
        return ("…" if start else "") + text[start:end].rstrip() + "…"

    def marked(self, text: str) -> list[tuple[str, bool]]:
        """The text in pieces, each with whether it is a hit."""
        pieces: list[tuple[str, bool]] = []
        place = 0
        for start, end in self.hits(text):
            if start >= place:
                pieces += (text[place:start], False), (text[start:end], True)
                place = end
        return [piece for piece in [*pieces, (text[place:], False)] if piece[0]]


def _parts_of(run: str, parts: tuple[str, ...]) -> list[tuple[int, int]]:
    found = [(each.start(), each.end()) for part in parts for each in re.finditer(re.escape(part), run)]
    return sorted(found)


def _folded_with_places(text: str) -> tuple[str, Sequence[int]]:
    """The folded text, and for each of its characters, and its end, the place in the text from where it came."""
    if text.isascii():
        return fold_text(text), range(len(text) + 1)
    pieces: list[str] = []
    places: list[int] = []
    folded = {character: fold_text(character) for character in set(text)}  # one may become eighteen
    for place, character in enumerate(text):
        piece = folded[character]
        pieces.append(piece)
        places += [place] * len(piece)
    return "".join(pieces), [*places, len(text)]


def _end(places: Sequence[int], end: int) -> int:
    """Where something ends in the text that ends there in the folded one. Accents belong to the letter in front."""
    return max(places[end], places[end - 1] + 1)
