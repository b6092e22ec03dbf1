"""What a room's log carries, and its JSON.

An event is written once: the process that takes a post encodes everything but `id` and `prev`, which only the log can
give. Those two are put in front when the event is read, so no process ever decodes a message to pass it on.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import msgspec

from chatserver.model.cursor import Cursor

Kind = Literal["message", "edited", "deleted", "reaction", "closed", "void"]
"""`event_kinds.py` describes each. `message`: somebody wrote. `edited`, `deleted`, `reaction`: what became of it.
`closed`: the room is gone, the last event of its log.
`void`: a repeat that slipped through both look-ups; it holds the chain of `prev` together and is never shown."""

Look = Literal["plain", "emoji", "long"]
"""What the text of a message decides about how it is shown, see `message_classes.py`."""

QUOTED = 120
"""Characters of a message that a reply to it shows."""


class Quote(msgspec.Struct, frozen=True):
    """The beginning of the message that is replied to, as it stood then: history, like all that was quoted."""

    id: str
    user_name: str
    content: str


class Reaction(msgspec.Struct, frozen=True):
    """Who reacted so, in the order in which they did."""

    emoji: str
    user_ids: tuple[int, ...]


class Body(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a message says, without its place in the log. `html` only where it says more than the plain text.
    `look`: a `Look`; None for plain ones, and for those from before looks were kept."""

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
    """A message as clients see it. What does not apply is left out of its JSON."""

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
        """The event on the wire: one line of JSON, since JSON escapes every line end that SSE knows."""
        return b'{"id":"%d-%d","prev":"%d-%d",%b' % (*self.id, *self.prev, self.payload[1:])

    def message(self) -> Message:
        """The message of a `message` event."""
        return _decoder.decode(self.json())


_decoder = msgspec.json.Decoder(Message)
_encoder = msgspec.json.Encoder()


def draft_message(body: Body) -> Draft:
    return Draft(body.room_id, "message", body.user_id, body.client_id, _encoder.encode(body))


def draft_of(event: Event) -> Draft:
    """The event without its place in the log, to give it another."""
    return Draft(event.room_id, event.kind, event.user_id, event.client_id, event.payload)


def draft_closing(room_id: int, user_id: int) -> Draft:
    """The last event of a room. Its client id is fixed, so closing a room twice closes it once; and it is none that a
    client could have posted under."""
    payload = _encoder.encode({"room_id": room_id, "user_id": user_id, "created_at": timestamp()})
    return Draft(room_id, "closed", user_id, "room:closed", payload)


def timestamp() -> str:
    """Now, as RFC 3339 in UTC with milliseconds. For people to read; nothing is ordered by it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
