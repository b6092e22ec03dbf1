"""Events of a room's log, and their JSON.

An event is encoded once: the process that takes a post encodes everything but `id` and `prev`, which only the log can
give. These two are prepended when the event is read, so no process ever decodes a message to pass it on.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import msgspec

from chatserver.model.cursor import Cursor

Kind = Literal["message", "edited", "deleted", "reaction", "closed", "void"]
"""`event_kinds.py` describes each. `message`: a new message. `edited`, `deleted`, `reaction`: its changes.
`closed`: the room is gone, the last event of its log.
`void`: a repeat that slipped through both look-ups; it holds the chain of `prev` together and is never shown."""

Look = Literal["plain", "emoji", "long"]
"""The class that the text of a message gives it, see `message_classes.py`."""

QUOTED = 120
"""Characters of a message that a reply to it shows."""


class Quote(msgspec.Struct, frozen=True):
    """The beginning of the message that is replied to, as it was then: like every quotation, it is not updated."""

    id: str
    user_name: str
    content: str


class Reaction(msgspec.Struct, frozen=True):
    """The users who reacted with an emoji, in the order of their reactions."""

    emoji: str
    user_ids: tuple[int, ...]


class Body(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message without its place in the log. `html`: only if it says more than the plain text. `look`: a `Look`; None
    for plain messages, and for those from before looks were kept. `created_at`: RFC 3339 in UTC."""

    room_id: int
    user_id: int
    user_name: str
    content: str
    created_at: str
    client_id: str
    html: str | None = None
    mentions: tuple[int, ...] = ()
    reply_to: Quote | None = None
    deleted: bool = False
    look: str | None = None


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message as clients see it. Its JSON omits fields that do not apply."""

    id: str
    prev: str
    room_id: int
    user_id: int
    user_name: str
    content: str
    created_at: str
    client_id: str
    html: str | None = None
    mentions: tuple[int, ...] = ()
    reply_to: Quote | None = None
    edited_at: str | None = None
    deleted: bool = False
    reactions: tuple[Reaction, ...] = ()
    look: str | None = None

    def quote(self) -> Quote:
        return Quote(self.id, self.user_name, self.content[:QUOTED])


class Draft(msgspec.Struct, frozen=True):
    """An event that has no place in the log yet."""

    room_id: int
    kind: Kind
    user_id: int
    client_id: str
    payload: bytes
    """The event as one JSON object, less `id` and `prev`."""


class Event(msgspec.Struct, frozen=True):
    """An entry of a room's log. `prev` is the id of the entry before it in the same room."""

    room_id: int
    id: Cursor
    prev: Cursor
    kind: Kind
    user_id: int
    client_id: str
    payload: bytes

    def json(self) -> bytes:
        """Returns the event for the wire: one line of JSON, which escapes every line end that SSE knows."""
        return b'{"id":"%d-%d","prev":"%d-%d",%b' % (*self.id, *self.prev, self.payload[1:])

    def message(self) -> Message:
        """Returns the message of a `message` event."""
        return _decoder.decode(self.json())


_decoder = msgspec.json.Decoder(Message)
_encoder = msgspec.json.Encoder()


def draft_message(body: Body) -> Draft:
    return Draft(body.room_id, "message", body.user_id, body.client_id, _encoder.encode(body))


def draft_of(event: Event) -> Draft:
    """Returns the event without its place in the log, to append it again."""
    return Draft(event.room_id, event.kind, event.user_id, event.client_id, event.payload)


def draft_closing(room_id: int, user_id: int) -> Draft:
    """Returns the last event of a room. Its client id is fixed, so that closing twice closes once; and no client can
    post under it."""
    payload = _encoder.encode({"room_id": room_id, "user_id": user_id, "created_at": timestamp()})
    return Draft(room_id, "closed", user_id, "room:closed", payload)


def timestamp() -> str:
    """Returns the current time, as RFC 3339 in UTC with milliseconds. For people to read; nothing is ordered by it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
