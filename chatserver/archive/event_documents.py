"""Events as documents of MongoDB."""

from __future__ import annotations

from typing import NamedTuple, cast

import msgspec

from chatserver.archive.database import Document
from chatserver.model.changes import about
from chatserver.model.cursor import BEGINNING, END, Cursor
from chatserver.model.event_kinds import kind_of
from chatserver.model.events import Event, Kind, Message
from chatserver.model.words import search_words

_OWN = ("user_id", "user_name", "content", "created_at", "client_id")
_WHERE_THEY_APPLY = ("html", "mentions", "reply_to", "edited_at", "deleted", "reactions", "look")
_SHOWN = {"prev", *_OWN, *_WHERE_THEY_APPLY}


class Shown(NamedTuple):
    """A message as `messages` has it. `applied`: the newest change that is in it; BEGINNING if there is none."""

    message: Message
    applied: Cursor


def event_key(room_id: int, id: Cursor) -> Document:
    """Returns the `_id` of an event, and of its message in `messages`."""
    # MongoDB compares embedded documents field by field in this order, which is the order of the log.
    return {"room": room_id, "ms": id.ms, "seq": id.seq}


def read_key(key: Document) -> Cursor:
    """Returns the id of the event that has this key."""
    return Cursor(key["ms"], key["seq"])


def in_room(room_id: int) -> Document:
    """Returns a query for all events or messages of a room."""
    return {"_id": {"$gt": event_key(room_id, BEGINNING), "$lt": event_key(room_id, END)}}


def event_document(event: Event, *, void: bool = False) -> Document:
    """Returns the document of an event. `void`: only the link that holds the chain of `prev` together. A change also
    names its message, so that the changes of a message are found at once, however many events followed it."""
    document: Document = {
        "_id": event_key(event.room_id, event.id),
        "prev": str(event.prev),
        "kind": "void" if void else event.kind,
        "user_id": event.user_id,
    }
    if not void:
        document |= {"client_id": event.client_id, "payload": event.payload.decode()}
        if kind_of(event).is_change:
            document["about"] = event_key(event.room_id, about(event))
    return document


def read_event(document: Document) -> Event:
    key = document["_id"]
    return Event(
        room_id=key["room"],
        id=read_key(key),
        prev=Cursor.parse(document["prev"]),
        kind=cast("Kind", document["kind"]),
        user_id=document["user_id"],
        client_id=document.get("client_id", ""),
        payload=document.get("payload", "{}").encode(),
    )


def message_document(message: Message, applied: Cursor = BEGINNING) -> Document:
    """Returns the document of `messages`: the room as it is shown, for pages, search and queries by hand.

    `applied`: the newest change that is in it, which guards it against one that comes late.
    """
    document: Document = {"_id": event_key(message.room_id, Cursor.parse(message.id)), "prev": message.prev}
    document |= {name: getattr(message, name) for name in _OWN}
    for name in _WHERE_THEY_APPLY:
        if value := getattr(message, name):
            # As MongoDB will return it: it has lists, no tuples.
            document[name] = msgspec.json.decode(msgspec.json.encode(value))
    if words := search_words(message.content):
        document["words"] = words
    if applied != BEGINNING:
        document["applied"] = str(applied)
    return document


def read_shown(document: Document) -> Shown:
    id = document["_id"]
    fields = {name: document[name] for name in document.keys() & _SHOWN}
    message = msgspec.convert({"id": f"{id['ms']}-{id['seq']}", "room_id": id["room"], **fields}, Message)
    return Shown(message, Cursor.parse(document.get("applied", "0")))
