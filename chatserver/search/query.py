"""Search queries: their words, and their hits in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bson.regex import Regex

from chatserver.model.words import MAX_FOLDED, MAX_LENGTH, fold_text, pairs, runs

MAX_WORDS = 12
"""Words of a query; further ones are ignored."""

SNIPPET = 160
"""Length in characters."""

_BEFORE = 40
"""Characters of it before the first hit, about."""


class Query(NamedTuple):
    """Folded words that must all be in a text. `beginnings`: prefixes of words. `parts`: runs of characters of scripts
    without spaces, possibly inside a longer run."""

    words: tuple[str, ...]
    beginnings: tuple[str, ...]
    parts: tuple[str, ...]

    @classmethod
    def read(cls, query: str) -> Query | None:
        """Parses a query; None if it has no word. Its last word may be the beginning of one."""
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
        """Returns conditions that `messages.words` must all meet, the rarer ones first."""
        # A part's last character is indexed alone only at the end of a run, and here another may follow it.
        of_parts = [pair for part in self.parts for pair in pairs(part)[: max(1, len(part) - 1)]]
        exact = [*(each for each in of_parts if len(each) == 2), *sorted(self.words, key=len, reverse=True)]
        begin = [*(each for each in of_parts if len(each) == 1), *self.beginnings]
        # Not Python patterns: those set a flag that makes MongoDB scan the whole index.
        patterns = [Regex("^" + each[:MAX_LENGTH]) for each in begin]
        return [*dict.fromkeys(each[:MAX_LENGTH] for each in exact), *patterns]

    def is_in(self, text: str) -> bool:
        """Returns whether the runs of a text contain the parts exactly. Everything else the index has decided."""
        if all(len(part) <= 2 for part in self.parts):
            return True
        folded = fold_text(text)
        return all(part in folded for part in self.parts)

    def hits(self, text: str) -> Iterator[tuple[int, int]]:
        """Yields the start and end of each hit in the text, in order."""
        folded, positions = _folded_with_positions(text)
        for start, end, is_spaceless in runs(folded):
            word = folded[start:end]
            if is_spaceless:
                for first, last in _parts_of(word, self.parts):
                    yield positions[start + first], _end(positions, start + last)
                continue
            length = (
                len(word)
                if word in self.words
                else max((len(each) for each in self.beginnings if word.startswith(each)), default=0)
            )
            if length:
                yield positions[start], _end(positions, start + length)

    def snippet(self, text: str) -> str:
        """Returns plain text around the first hit, in one line."""
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
        """Splits the text into pieces, each with a flag: True for a hit."""
        pieces: list[tuple[str, bool]] = []
        position = 0
        for start, end in self.hits(text):
            if start >= position:
                pieces += (text[position:start], False), (text[start:end], True)
                position = end
        return [piece for piece in [*pieces, (text[position:], False)] if piece[0]]


def _parts_of(run: str, parts: tuple[str, ...]) -> list[tuple[int, int]]:
    found = [(each.start(), each.end()) for part in parts for each in re.finditer(re.escape(part), run)]
    return sorted(found)


def _folded_with_positions(text: str) -> tuple[str, Sequence[int]]:
    """Returns the folded text, and the position in the original of each of its characters and of its end.

    Of a text of signs that stand for whole sentences it is the beginning, as far as the words of a message are read.
    """
    if text.isascii():
        return fold_text(text), range(len(text) + 1)
    pieces: list[str] = []
    positions: list[int] = []
    folded = {character: fold_text(character) for character in set(text)}  # one may become eighteen
    end = len(text)
    for position, character in enumerate(text):
        if len(positions) >= MAX_FOLDED:
            end = position
            break
        piece = folded[character]
        pieces.append(piece)
        positions += [position] * len(piece)
    return "".join(pieces), [*positions, end]


def _end(positions: Sequence[int], end: int) -> int:
    """Maps an end in the folded text to the original. Accents belong to the letter before them."""
    return max(positions[end], positions[end - 1] + 1)
