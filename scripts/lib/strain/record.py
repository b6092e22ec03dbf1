"""What a crowd of readers received, checked as it comes: they all read one room, so they all get the same bytes.

Whoever is ahead of all others extends the common record; everybody else's bytes are compared with it. At the end the
record itself is judged, once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from common.event_ids import place

END = b"\n\n"


class Record:
    """Whole frames, one behind the other. A place in it is a number of bytes."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def __len__(self) -> int:
        return len(self._bytes)

    def advance(self, place: int, frames: bytes) -> int | None:
        """Where a reader stands who stood at `place` and received `frames`; None if that is not what others got."""
        end = place + len(frames)
        common = self._bytes[place:end]
        if not frames.startswith(common):
            return None
        self._bytes += frames[len(common) :]
        return end

    def id_before(self, place: int) -> str:
        """The id of the last frame in front of the place."""
        if place == 0:
            return "0"
        start = self._bytes.rfind(b"id: ", 0, place)
        return self._bytes[start + 4 : self._bytes.index(b"\n", start)].decode()

    def events(self) -> list[dict[str, Any]]:
        frames = bytes(self._bytes).decode().split("\n\n")[:-1]
        return [json.loads(frame.partition("\ndata: ")[2]) for frame in frames]


def judge(events: Sequence[Mapping[str, Any]], acknowledged: Mapping[str, str], *, start: str = "0-0") -> list[str]:
    """What is wrong with a record. `acknowledged`: the ids that were answered, by client id."""
    wrong = []
    before = start
    for event in events:
        if event["prev"] != before:
            wrong.append(f"{event['id']} says that it follows {event['prev']}, and came behind {before}")
        if place(event["id"]) <= place(before):
            wrong.append(f"{event['id']} came behind {before}")
        before = event["id"]
    ids = [event["id"] for event in events]
    names = [event["client_id"] for event in events]
    wrong += [f"{name} came {names.count(name)} times" for name in {name for name in names if names.count(name) > 1}]
    wrong += [f"{id} ({name}) was acknowledged and never came" for name, id in acknowledged.items() if id not in ids]
    return wrong
