"""A cursor: a place in a room's log, named by the id of the event at that place.

An event's id is the id of its entry in the room's Redis Stream, `<milliseconds>-<sequence>`. It is the `id:` on the
wire, the order of the room and half of the key in the archive. Nothing else orders anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

_CANONICAL = re.compile(r"(0|[1-9][0-9]{0,18})-(0|[1-9][0-9]{0,18})", re.ASCII)
_ROOM = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)

# The archive keeps both numbers as BSON int64; Redis would take 64 unsigned bits, but never issues that many.
_LARGEST = 2**63 - 1


class Cursor(NamedTuple):
    """Compares as Redis compares stream ids: by milliseconds, then by sequence."""

    ms: int
    seq: int

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Parses `<ms>-<seq>`, or `0` for the beginning of the log.

        Only the canonical spelling is valid (no sign, no leading zero, no space), so that one place has one name.
        Raises ValueError for anything else.
        """
        if text == "0":
            return BEGINNING
        match = _CANONICAL.fullmatch(text)
        if match is None:
            raise ValueError("not a cursor")
        ms, seq = int(match[1]), int(match[2])
        if ms > _LARGEST or seq > _LARGEST:
            raise ValueError("not a cursor of this log")
        return cls(ms, seq)

    def __str__(self) -> str:
        return f"{self.ms}-{self.seq}"


BEGINNING = Cursor(0, 0)
END = Cursor(_LARGEST, _LARGEST)


def format_cursors(places: Iterable[tuple[int, Cursor | str]]) -> str:
    """Returns the cursors in many rooms as one text: `<room>.<cursor>_<room>.<cursor>…`"""
    return "_".join(f"{room_id}.{cursor}" for room_id, cursor in places)


def parse_cursors(text: str) -> dict[int, list[str]] | None:
    """Returns the parts of a combined cursor by room, unparsed: a part may be no cursor. None if the text is none."""
    parts: dict[int, list[str]] = {}
    for part in text.split("_"):
        room_id, dot, cursor = part.partition(".")
        if not dot or _ROOM.fullmatch(room_id) is None:
            return None
        parts.setdefault(int(room_id), []).append(cursor)
    return parts
