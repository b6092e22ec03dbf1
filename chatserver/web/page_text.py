"""Words of pages that are made out of others: initials, names beside other text, errors as sentences."""

from __future__ import annotations

import unicodedata

_TURN = frozenset({"R", "AL", "AN", "RLE", "RLO", "RLI", "LRE", "LRO", "LRI", "FSI", "PDF", "PDI"})
"""Unicode's bidirectional classes of characters that are read from right to left, or that change the direction."""


def initials(name: str) -> str:
    """Returns up to two letters that stand for a name in a small space."""
    return "".join(word[0] for word in name.split()[:2]).upper()


def isolated(name: str) -> str:
    """Isolates a name within plain text, so that it does not turn the text beside it (as support/texts.js)."""
    turns = any(unicodedata.bidirectional(character) in _TURN for character in name)
    return f"\u2068{name}\u2069" if turns else name


def as_sentence(text: str) -> str:
    """Returns an error's text as a sentence (as support/texts.js)."""
    return f"{text[:1].upper()}{text[1:]}."
