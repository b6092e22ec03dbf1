"""Ids of events. (Clients need not know how they are ordered; a judge must.)"""

from __future__ import annotations

Place = tuple[int, int]


def place(id: str) -> Place:
    """An id's place in the order of its room."""
    milliseconds, _, sequence = id.partition("-")
    return int(milliseconds), int(sequence or 0)
