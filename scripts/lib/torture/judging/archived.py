"""The archive, read behind the chat's back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from torture.people.said import CHANGES, Change, Message, read_message, read_said
from torture.people.texts import Name, Texts, words_in
from torture.world.world import World


@dataclass(frozen=True)
class Entry:
    """A document of `events`. `said`: nothing by a void."""

    id: str
    prev: str
    kind: str
    name: Name
    said: Message | Change | None = None


@dataclass
class Archived:
    """A room. `shown`: `messages`, by id. `words`: of all texts that are anywhere in either, and where;
    `quotes`: of those that are in there as quotes."""

    events: list[Entry] = field(default_factory=list)
    shown: dict[str, Message] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    quotes: set[str] = field(default_factory=set)

    def read_words(self, document: dict[str, Any], where: str) -> None:
        own, quotes = words_in(document)
        self.words |= dict.fromkeys(own, where)
        self.quotes |= quotes


def read_archive(world: World, texts: Texts) -> dict[int, Archived]:
    """Each room, as a majority has it."""
    rooms = {room: Archived() for room in world.rooms}
    with world.mongo_client() as client:
        database: Any = client["harbour"]
        for room, archived in rooms.items():
            behind: dict[str, Any] = {"_id.room": room}
            for document in database.events.find(behind).sort("_id"):
                id = _id(document)
                payload = {"id": id, "prev": document["prev"], **json.loads(document.pop("payload", "{}"))}
                archived.events.append(_entry(document, payload, texts))
                archived.read_words(document | payload, f"`events` {id}")
            for document in database.messages.find(behind).sort("_id"):
                id = _id(document)
                archived.shown[id] = read_message({"id": id, **document}, texts)
                archived.read_words(document, f"`messages` {id}")
    return rooms


def judge_chain(events: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    """`prev` of an event is the one before it in its room, voids and the places that are kept for a branch among them.

    What is wrong, and the id of the event that it is about.
    """
    for before, entry in pairwise([Entry("0-0", "", "void", (0, "")), *events]):
        if entry.prev != before.id:
            yield f"{entry.id} follows {entry.prev}, and the one before it is {before.id}", entry.id


def _id(document: dict[str, Any]) -> str:
    return f"{document['_id']['ms']}-{document['_id']['seq']}"


def _entry(document: dict[str, Any], payload: dict[str, Any], texts: Texts) -> Entry:
    name, kind = (document["user_id"], document.get("client_id", "")), document["kind"]
    said = read_said(kind, payload, texts) if kind in {"message", *CHANGES} else None
    return Entry(_id(document), document["prev"], kind, name, said)
