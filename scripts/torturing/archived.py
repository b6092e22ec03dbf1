"""The archive, read behind the chat's back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
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
    """`prev` of an event is the one before it in its room, voids and the places that are kept for a branch among them.

    What is wrong, and the id of the event that it is about.
    """
    for before, entry in pairwise([Entry("0-0", "", "void", (0, "")), *events]):
        if entry.prev != before.id:
            yield f"{entry.id} follows {entry.prev}, and the one before it is {before.id}", entry.id


def _id(document: dict[str, Any]) -> str:
    return f"{document['_id']['ms']}-{document['_id']['seq']}"


def _entry(document: dict[str, Any]) -> Entry:
    name = document["user_id"], document.get("client_id", "")
    return Entry(_id(document), document["prev"], document["kind"], name)
