"""Events as documents of MongoDB."""

from __future__ import annotations

from typing import cast

from chatserver.cursor import BEGINNING, END, Cursor
from chatserver.database import Document
from chatserver.events import Event, Kind


def event_key(room_id: int, id: Cursor) -> Document:
    """The `_id` of an event, and of the message it shows."""
    # MongoDB compares embedded documents field by field in this order: that is the order of the log.
    return {"room": room_id, "ms": id.ms, "seq": id.seq}


def in_room(room_id: int) -> Document:
    """A query for all events or messages of a room."""
    return {"_id": {"$gt": event_key(room_id, BEGINNING), "$lt": event_key(room_id, END)}}


def event_document(event: Event, *, void: bool = False) -> Document:
    """`void`: only the link that holds the chain of `prev` together."""
    document: Document = {
        "_id": event_key(event.room_id, event.id),
        "prev": str(event.prev),
        "kind": "void" if void else event.kind,
        "user_id": event.user_id,
    }
    if not void:
        document |= {"client_id": event.client_id, "payload": event.payload.decode()}
    return document


def read_event(document: Document) -> Event:
    id = document["_id"]
    return Event(
        room_id=id["room"],
        id=Cursor(id["ms"], id["seq"]),
        prev=Cursor.parse(document["prev"]),
        kind=cast("Kind", document["kind"]),
        user_id=document["user_id"],
        client_id=document.get("client_id", ""),
        payload=document.get("payload", "{}").encode(),
    )


def message_document(event: Event) -> Document:
    """What `messages` has of an event: the room as it is shown, for search and for whoever asks the database."""
    message = event.message()
    return {
        "_id": event_key(event.room_id, event.id),
        "prev": message.prev,
        "user_id": message.user_id,
        "user_name": message.user_name,
        "content": message.content,
        "created_at": message.created_at,
        "client_id": message.client_id,
    }
