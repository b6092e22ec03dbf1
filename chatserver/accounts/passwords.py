"""Passwords that are refused: the ones that every guesser tries first.

The list is the one of zxcvbn: 30,000 from leaks, by how often they were used. Whole passwords are compared, and there
are no other rules: rules about characters make people choose worse ones (NIST SP 800-63B, 5.1.1.2).
"""

from __future__ import annotations

from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

from chatserver.errors import Invalid
from chatserver.model.display_names import name_key

SHORTEST, LONGEST = 8, 1_000
"""Characters. Argon2 takes far more; this bounds the work of one request."""

PRODUCT = frozenset({"harbour", "harbor", "harbourchat", "harborchat"})


def _common_passwords() -> str:
    """Returns the list's passwords that are long enough, each between two line ends.

    A quarter of a megabyte. Importing the package would keep 14 MB: its other lists, and tables made of them. So the
    one file is run by itself, and dropped.
    """
    package = find_spec("zxcvbn")
    assert package is not None
    assert package.origin is not None
    spec = spec_from_file_location("frequency_lists", Path(package.origin).with_name("frequency_lists.py"))
    assert spec is not None
    assert spec.loader is not None
    lists = module_from_spec(spec)
    spec.loader.exec_module(lists)
    chosen = (password for password in lists.FREQUENCY_LISTS["passwords"] if len(password) >= SHORTEST)
    return "\n".join(["", *chosen, ""])


_COMMON = _common_passwords()


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
    if _is_common(folded) or _is_common(password.strip().casefold()):
        raise Invalid("that password is one of those tried first, since so many people use it")


def _is_common(password: str) -> bool:
    return "\n" not in password and f"\n{password}\n" in _COMMON


def _folded(text: str) -> str:
    return "".join(name_key(text).split())
