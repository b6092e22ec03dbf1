"""The archive, read behind the chat's back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from torturing.world import World

Name = tuple[int, str]


@dataclass(frozen=True)
class Entry:
    """A document of `events`."""

    id: str
    prev: str
    kind: str
    name: Name


def read_archive(world: World) -> tuple[dict[int, list[Entry]], dict[int, dict[str, Name]]]:
    """`events` and `messages` of each room, as a majority has them."""
    events, shown = {}, {}
    with world.mongo_client() as client:
        database: Any = client["harbour"]
        for room in world.rooms:
            behind: dict[str, Any] = {"_id.room": room}
            events[room] = [_entry(document) for document in database.events.find(behind).sort("_id")]
            documents = database.messages.find(behind).sort("_id")
            shown[room] = {_id(each): (each["user_id"], each["client_id"]) for each in documents}
    return events, shown


def judge_chain(events: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    """`prev` of an event is an earlier one of its room, and all that lies between is void.

    What is wrong, and the id of the event that it is about.
    """
    indexes = {"0-0": -1}
    last = -1  # index of the last event that is not void: whoever comes next links to it, or to a void behind it
    for index, entry in enumerate(events):
        indexes[entry.id] = index
        if entry.kind == "void":
            continue
        linked = indexes.get(entry.prev)
        if linked is None:
            yield f"{entry.id} says it follows {entry.prev}, which is not there", entry.id
        elif linked < last:
            yield f"{entry.id} follows {entry.prev} and passes over {events[last].id}", events[last].id
        last = index


def _id(document: dict[str, Any]) -> str:
    return f"{document['_id']['ms']}-{document['_id']['seq']}"


def _entry(document: dict[str, Any]) -> Entry:
    name = document["user_id"], document.get("client_id", "")
    return Entry(_id(document), document["prev"], document["kind"], name)
