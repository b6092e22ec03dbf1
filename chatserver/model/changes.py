"""Changes of messages: edits, deletions and reactions.

A change is an event of the room's log like any other. The state of a message follows from the log: the message, then
its changes in the order of their ids (`event_kinds.apply_changes`). Once a message is deleted, it stays deleted
whatever follows.
"""

from __future__ import annotations

import secrets

import msgspec
from msgspec.structs import replace

from chatserver.model.cursor import Cursor
from chatserver.model.events import Draft, Event, Kind, Message, Reaction


class Edited(msgspec.Struct, frozen=True, omit_defaults=True):
    """The payload of an `edited` event."""

    room_id: int
    message_id: str
    user_id: int
    content: str
    edited_at: str
    html: str | None = None
    mentions: tuple[int, ...] = ()
    look: str | None = None


class Deleted(msgspec.Struct, frozen=True):
    """The payload of a `deleted` event. `client_id`: the message's own, which is dropped with it (see `trim.lua`)."""

    room_id: int
    message_id: str
    user_id: int
    client_id: str


class Reacted(msgspec.Struct, frozen=True):
    """The payload of a `reaction` event. `on`: True if it was given, False if it was taken back."""

    room_id: int
    message_id: str
    emoji: str
    user_id: int
    user_name: str
    on: bool


class _Change(msgspec.Struct, frozen=True):
    message_id: str


_encoder = msgspec.json.Encoder()
_change = msgspec.json.Decoder(_Change)
_edited = msgspec.json.Decoder(Edited)
_reacted = msgspec.json.Decoder(Reacted)


def draft_edited(edited: Edited) -> Draft:
    return _draft("edited", edited, secrets.token_urlsafe(16))


def draft_deleted(message: Message) -> Draft:
    """Returns the deletion of a message. Its client id is fixed, so that deleting twice deletes once; and no client can
    post under it."""
    deleted = Deleted(message.room_id, message.id, message.user_id, message.client_id)
    return _draft("deleted", deleted, f"deleted:{message.id}")


def draft_reaction(reacted: Reacted) -> Draft:
    return _draft("reaction", reacted, secrets.token_urlsafe(16))


def about(change: Event) -> Cursor:
    """Returns the id of the message that a change is about."""
    return Cursor.parse(_change.decode(change.payload).message_id)


def apply_edit(message: Message, payload: bytes) -> Message:
    edited = _edited.decode(payload)
    return replace(
        message,
        content=edited.content,
        html=edited.html,
        mentions=edited.mentions,
        edited_at=edited.edited_at,
        look=edited.look,
    )


def apply_deletion(message: Message, payload: bytes) -> Message:
    return tombstone(message)


def apply_reaction(message: Message, payload: bytes) -> Message:
    return replace(message, reactions=_react(message.reactions, _reacted.decode(payload)))


def has_reaction(message: Message, emoji: str, user_id: int) -> bool:
    return any(each.emoji == emoji and user_id in each.user_ids for each in message.reactions)


def tombstone(message: Message) -> Message:
    """Returns the rest of a deleted message: its place, author and time."""
    return Message(
        id=message.id,
        prev=message.prev,
        room_id=message.room_id,
        user_id=message.user_id,
        user_name=message.user_name,
        content="",
        created_at=message.created_at,
        client_id=message.client_id,
        deleted=True,
    )


def _react(reactions: tuple[Reaction, ...], reacted: Reacted) -> tuple[Reaction, ...]:
    """Applies a reaction. An emoji keeps its position from its first reaction until the last one is taken back."""
    users = {each.emoji: each.user_ids for each in reactions}
    others = tuple(user_id for user_id in users.get(reacted.emoji, ()) if user_id != reacted.user_id)
    if not reacted.on:
        users[reacted.emoji] = others
    elif len(others) == len(users.get(reacted.emoji, ())):
        users[reacted.emoji] = (*others, reacted.user_id)
    return tuple(Reaction(emoji, user_ids) for emoji, user_ids in users.items() if user_ids)


def _draft(kind: Kind, payload: Edited | Deleted | Reacted, client_id: str) -> Draft:
    return Draft(payload.room_id, kind, payload.user_id, client_id, _encoder.encode(payload))
