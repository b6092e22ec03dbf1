"""Everything that was ever written, each text under a word of its own, so that it is known wherever it turns up."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from typing import Any

Name = tuple[int, str]
"""A message, by who wrote it and its client id."""

STRANGE = "?"

_WORD = re.compile(r"t\d+q[0-9a-f]{8}")
_ENDS = ["", "", "", " **and** so on", " `code` and <b>"]


class Texts:
    def __init__(self) -> None:
        self._contents: dict[str, tuple[str, Name]] = {}

    def write(self, lots: random.Random, name: Name) -> str:
        """A new text of this message. Returns its word."""
        word = f"t{len(self._contents)}q{lots.getrandbits(32):08x}"
        self._contents[word] = f"{word} {'x' * lots.choice([5, 200, 1_900])}{lots.choice(_ENDS)}", name
        return word

    def content(self, word: str) -> str:
        return self._contents[word][0]

    def read(self, content: str, name: Name | None = None) -> str:
        """The word of a text; "" of none, STRANGE of what was not written so (in the message of this name)."""
        if not content:
            return ""
        word = content.partition(" ")[0]
        written, of = self._contents.get(word, ("", name))
        return word if written == content and (name is None or name == of) else STRANGE


def quoted(content: str) -> str:
    """The word of the text that a quote begins with; "" if it says nothing."""
    found = _WORD.search(content)
    return found[0] if found else ""


def words_in(document: Mapping[str, Any]) -> tuple[set[str], set[str]]:
    """The words of all texts anywhere in it, and of those that it quotes of other messages."""
    own = {name: value for name, value in document.items() if name != "reply_to"}
    return set(_WORD.findall(json.dumps(own, default=str))), set(_WORD.findall(json.dumps(document.get("reply_to"))))
