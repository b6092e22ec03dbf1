"""Display names of people and rooms: rules for new names, and the key that equal names share. `lookalikes` finds names
that look the same.

Names that were taken under older rules stay as they are: these rules are for new ones.
"""

from __future__ import annotations

import unicodedata

import regex
from confusable_homoglyphs.categories import alias

from chatserver.errors import Invalid

MAX_USER_NAME = 64
MAX_ROOM_NAME = 80
"""Characters (code points) of a name."""

MAX_CHARACTERS = 1_000
"""Longest text that is normalized as a name, before its characters are composed: the time to sort marks grows with the
square of their number."""

MAX_MARKS_IN_A_ROW = 4
"""Nonspacing marks on one letter (Unicode TS 39, 5.4): no script needs more, and more cover the text beside them."""

_WITHOUT_INK = "\u2800\U0001d159"
"""Blank characters that Unicode counts among the symbols: a Braille pattern without dots, a null note head."""

_BLANK = regex.compile(rf"[\p{{Zs}}{_WITHOUT_INK}]+")
_FORBIDDEN = regex.compile(r"[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]")
_UNKNOWN = regex.compile(r"[\p{Co}\p{Cn}]")
_INVISIBLE = regex.compile(r"[\p{Cf}\p{Default_Ignorable_Code_Point}]")
_SEEN = regex.compile(r"[\p{L}\p{N}\p{P}\p{S}]")
_MARKS = regex.compile(rf"(\p{{Mn}})\1|\p{{Mn}}{{{MAX_MARKS_IN_A_ROW + 1}}}")
_WORD = regex.compile(r"[\p{L}\p{M}]+")

_INVISIBLE_BUT_NEEDED = regex.compile(
    # Within an emoji: the joiners of its parts, and the mark that it is an emoji.
    r"(?<=\p{Extended_Pictographic}\p{EMod}?)\ufe0f|(?<=\p{Extended_Pictographic}\p{EMod}?\ufe0f?)\u200d(?=\p{Extended_Pictographic})"
    # Within a word: joiners and non-joiners, in scripts with joined letters.
    r"|(?<=[\p{Arab}\p{Syrc}\p{Mong}\p{Beng}\p{Deva}\p{Gujr}\p{Guru}\p{Knda}\p{Mlym}\p{Orya}\p{Sinh}\p{Taml}\p{Telu}])"
    r"[\u200c\u200d]"
    r"(?=[\p{Arab}\p{Syrc}\p{Mong}\p{Beng}\p{Deva}\p{Gujr}\p{Guru}\p{Knda}\p{Mlym}\p{Orya}\p{Sinh}\p{Taml}\p{Telu}])"
)

_WRITTEN_TOGETHER = (
    {"LATIN", "HAN", "HIRAGANA", "KATAKANA"},
    {"LATIN", "HAN", "BOPOMOFO"},
    {"LATIN", "HAN", "HANGUL"},
)
"""Scripts of one word in Japanese, Chinese and Korean ("Highly Restrictive" in Unicode TS 39, 5.2)."""

_OF_NO_SCRIPT = {"COMMON", "INHERITED"}


def clean_name(name: str, longest: int) -> str:
    """Returns the name without space around it, and with single spaces in it.

    Raises Invalid unless it has 1 to `longest` characters, some of them visible and none of them hidden.
    """
    name = name.strip()
    if len(name) <= MAX_CHARACTERS:
        name = one_spaced(unicodedata.normalize("NFC", name))
    if not 1 <= len(name) <= longest:
        raise Invalid(f"choose a name ({longest} characters at most)")
    if _FORBIDDEN.search(name):
        raise Invalid("a name has no control characters")
    if _INVISIBLE.search(_INVISIBLE_BUT_NEEDED.sub("", name)):
        raise Invalid("a name has no invisible characters")
    if _UNKNOWN.search(name):
        raise Invalid("a name has only characters that have a meaning")
    if not _SEEN.search(name):
        raise Invalid("a name needs at least one visible character")
    if _MARKS.search(unicodedata.normalize("NFD", name)):
        raise Invalid("a name has no heaps of marks")
    return name


def clean_name_of_person(name: str, longest: int) -> str:
    """Does the same for a person's name; also raises Invalid if a word mixes alphabets as no language does."""
    name = clean_name(name, longest)
    if any(_mixes_scripts(word) for word in _WORD.findall(name)):
        raise Invalid("a word of a name is written in one alphabet")
    return name


def one_spaced(name: str) -> str:
    """Returns the name with one space for each run of blank characters, and none around it."""
    return _BLANK.sub(" ", name.strip()).strip()


def name_key(name: str) -> str:
    """Returns a key that is equal for names that differ only in case or in the encoding of the same characters (Unicode
    TR 15, 21); empty, which no name has, for a text that is too long to be a name."""
    if len(name) > MAX_CHARACTERS:
        return ""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _mixes_scripts(word: str) -> bool:
    scripts = {alias(character) for character in word} - _OF_NO_SCRIPT
    return len(scripts) > 1 and not any(scripts <= together for together in _WRITTEN_TOGETHER)
