"""Names of people and rooms: what is allowed, and when two are the same. `lookalikes` says which look the same.

Names that were taken under older rules stay as they are: only new ones are held to these.
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
"""Of what is looked at as a name at all, before its characters are put together: to bring marks into their order takes
a time that grows with the square of how many there are."""

MAX_MARKS_IN_A_ROW = 4
"""Nonspacing marks on one letter (Unicode TS 39, 5.4): no script needs more, and more cover what stands beside them."""

_WITHOUT_INK = "\u2800\U0001d159"
"""Characters that are blank and that Unicode counts among the symbols: a pattern of Braille without dots, a note."""

_BLANK = regex.compile(rf"[\p{{Zs}}{_WITHOUT_INK}]+")
_FORBIDDEN = regex.compile(r"[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]")
_UNKNOWN = regex.compile(r"[\p{Co}\p{Cn}]")
_INVISIBLE = regex.compile(r"[\p{Cf}\p{Default_Ignorable_Code_Point}]")
_SEEN = regex.compile(r"[\p{L}\p{N}\p{P}\p{S}]")
_MARKS = regex.compile(rf"(\p{{Mn}})\1|\p{{Mn}}{{{MAX_MARKS_IN_A_ROW + 1}}}")
_WORD = regex.compile(r"[\p{L}\p{M}]+")

_INVISIBLE_BUT_NEEDED = regex.compile(
    # Within an emoji: how its parts are joined, and that it is an emoji.
    r"(?<=\p{Extended_Pictographic}\p{EMod}?)\ufe0f|(?<=\p{Extended_Pictographic}\p{EMod}?\ufe0f?)\u200d(?=\p{Extended_Pictographic})"
    # Within a word: whether letters join, in scripts where they do.
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
    """The name without space around it, and with single spaces in it.

    Raises Invalid unless it has 1 to `longest` characters of which some are seen and none hides.
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
    """The same; besides, no word mixes alphabets as no language does."""
    name = clean_name(name, longest)
    if any(_mixes_scripts(word) for word in _WORD.findall(name)):
        raise Invalid("a word of a name is written in one alphabet")
    return name


def one_spaced(name: str) -> str:
    """The name with one space wherever something blank was, and none around it."""
    return _BLANK.sub(" ", name.strip()).strip()


def name_key(name: str) -> str:
    """Equal for names that differ only in case or in the spelling of the same characters (Unicode TR 15, 21); nobody's
    for what is too long to be a name."""
    if len(name) > MAX_CHARACTERS:
        return ""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _mixes_scripts(word: str) -> bool:
    scripts = {alias(character) for character in word} - _OF_NO_SCRIPT
    return len(scripts) > 1 and not any(scripts <= together for together in _WRITTEN_TOGETHER)
