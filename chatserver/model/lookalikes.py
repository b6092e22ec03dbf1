"""Look-alike names: the skeletons of Unicode TS 39, section 4, by the data of the package confusable-homoglyphs.

Two texts are confusable when their skeletons are equal. So Latin "Ann" and Cyrillic "Аnn" are, "Bill" and "BiII", "Amy"
and "Arny", "User 1" and "User l"; "max1" and "max2", "Anna" and "Hanna", "Ian" and "Lan" are not.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import regex
from confusable_homoglyphs.utils import load

from chatserver.model.display_names import name_key

ROUNDS = 4
"""Most rounds of replacement. With the present data, two are enough until nothing changes any more."""

_NOT_SEEN = regex.compile(r"\p{Default_Ignorable_Code_Point}+")

_MARKS_OF_DIRECTION = "\u200e"
"""A mark that the data has around characters written from right to left, to be readable itself."""


def skeletons(name: str) -> list[str]:
    """Returns two skeletons that no other name may share: of the name as written, and of the name in lower case.

    The first tells "Ian" from "Lan", which "lan" looks like; the second finds look-alikes of a name in another case.
    """
    return [f"as written {skeleton(name)}", f"in lower case {skeleton(_NOT_SEEN.sub('', name_key(name)))}"]


def skeleton(text: str) -> str:
    """Returns a text that is equal for texts that look the same. The skeleton of a skeleton is the skeleton itself."""
    text = _NOT_SEEN.sub("", unicodedata.normalize("NFD", text))
    for _ in range(ROUNDS):
        replaced = unicodedata.normalize("NFD", "".join(_PROTOTYPES.get(each, each) for each in text))
        if replaced == text:
            break
        text = replaced
    return " ".join(text.split())


def _read_prototypes(confusables: Mapping[str, Any]) -> dict[str, str]:
    """Returns the replacement of each character.

    The package lists each pair of Unicode's confusables.txt in both directions, in the order of that file. There each
    character has one prototype, and a prototype has none, so the pairs are stars: a prototype of several characters is
    in the middle, and so is one with several neighbours; of a lone pair, Unicode's own prototype is listed second.
    """
    places = {key: number for number, key in enumerate(confusables)}
    prototypes = {}
    for key, others in confusables.items():
        neighbours = {each["c"] for each in others}
        if len(key) > 1 and len(_plain(key)) > 1:
            continue
        (neighbour, *more) = neighbours
        if more:
            continue
        is_lone_pair = len(confusables.get(neighbour, ())) == 1 and len(_plain(neighbour)) == 1
        if not is_lone_pair or places[neighbour] > places[key]:
            prototypes[_plain(key)] = _plain(neighbour)
    return prototypes


def _plain(text: str) -> str:
    return text.strip(_MARKS_OF_DIRECTION)


_PROTOTYPES: Mapping[str, str] = MappingProxyType(_read_prototypes(load("confusables.json")))
