"""The words of a text, for search: without case, without accents.

For scripts without spaces between words (Chinese, Japanese, Thai …) they are pairs of characters, and each run's last
character, so that a search for one character finds it too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

import regex

MAX_WORDS = 300
"""Most different words of one message. 2,000 characters of a language with spaces have fewer; a message with more is
found by the first of them."""

MAX_LENGTH = 40
"""Most characters of a word that are compared."""

MAX_FOLDED = 6_000
"""Most characters of a folded message that are read: three for each original one, as Hangul needs. Some characters
stand for whole sentences, and 2,000 of these would keep all users waiting."""

_ASCII_WORD = re.compile(r"[a-z0-9]+")
_SPACELESS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\u3005\u3007\u30FC\u3099\u309A"
_WORD = regex.compile(rf"([{_SPACELESS}]+)|(?:(?![{_SPACELESS}])[\p{{L}}\p{{N}}\p{{M}}])+")

# Marks that change a letter. Marks that are letters themselves, as the vowels of many scripts, are not in here.
_ACCENTS = regex.compile(r"[\u0300-\u036F\u0591-\u05C7\u064B-\u065F\u0670]")
# Letters that Unicode does not decompose.
_PLAINER = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"})


def fold_text(text: str) -> str:
    """Returns the text without differences of case, accents and width."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return _ACCENTS.sub("", plain).translate(_PLAINER)


def runs(folded: str) -> Iterator[tuple[int, int, bool]]:
    """Yields start and end of each word of a folded text, and True if it is a run of a script without spaces."""
    if folded.isascii():
        for found in _ASCII_WORD.finditer(folded):
            yield found.start(), found.end(), False
    else:
        for word in _WORD.finditer(folded):
            yield word.start(), word.end(), word[1] is not None


def pairs(run: str) -> list[str]:
    return [run[place : place + 2] for place in range(len(run))]


def search_words(text: str) -> list[str]:
    """Returns the different words of a text, in their order: up to MAX_WORDS of up to MAX_LENGTH characters."""
    if text.isascii():
        words = list(dict.fromkeys(_ASCII_WORD.findall(text.lower())))
    else:
        folded = fold_text(text)[:MAX_FOLDED]
        words = []
        for start, end, is_spaceless in runs(folded):
            words += pairs(folded[start:end]) if is_spaceless else [folded[start:end]]
    return list(dict.fromkeys(word[:MAX_LENGTH] for word in words))[:MAX_WORDS]
