"""Passwords that are refused: the ones that every guesser tries first.

The list is the one of zxcvbn: 30,000 from leaks, by how often they were used. Whole passwords are compared, and there
are no other rules: rules about characters make people choose worse ones (NIST SP 800-63B, 5.1.1.2).
"""

from __future__ import annotations

from zxcvbn.frequency_lists import FREQUENCY_LISTS

from chatserver.errors import Invalid
from chatserver.model.display_names import name_key

SHORTEST, LONGEST = 8, 1_000
"""Characters. Argon2 takes far more; this bounds the work of one request."""

PRODUCT = frozenset({"harbour", "harbor", "harbourchat", "harborchat"})

_COMMON = frozenset(password for password in FREQUENCY_LISTS["passwords"] if len(password) >= SHORTEST)


def check_password(password: str, name: str) -> None:
    """Raises Invalid for a password that a user called `name` should not choose."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid(f"a password has at least {SHORTEST} characters")
    folded, own = _folded(password), _folded(name)
    if not folded:
        raise Invalid("a password has more than spaces")
    if folded in {own, own * 2, own[::-1]}:
        raise Invalid("a password is not the name: everybody sees that")
    if folded.rstrip("0123456789!.?") in PRODUCT:
        raise Invalid("a password is not the name of this chat: everybody tries that first")
    if folded in _COMMON or password.strip().casefold() in _COMMON:
        raise Invalid("that password is one of those tried first, since so many people use it")


def _folded(text: str) -> str:
    return "".join(name_key(text).split())
