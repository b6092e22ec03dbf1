"""Names of people and rooms: what is allowed, and when two are the same."""

from __future__ import annotations

import unicodedata

from chatserver.errors import Invalid


def clean_name(name: str, longest: int) -> str:
    """The name without space around it. Raises Invalid unless it has 1 to `longest` characters that can be seen."""
    name = unicodedata.normalize("NFC", name.strip())
    if not 1 <= len(name) <= longest:
        raise Invalid(f"a name has 1 to {longest} characters")
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in name):
        raise Invalid("a name has no control characters")
    if not any(unicodedata.category(character)[0] in "LNPS" for character in name):
        raise Invalid("a name has something to be seen")
    return name


def name_key(name: str) -> str:
    """Equal for names that differ only in case or in the spelling of the same characters (Unicode TR 15, 21)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
