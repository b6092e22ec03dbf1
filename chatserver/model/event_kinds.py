"""The kinds of events, each described once. A new kind is a row here, and its payload.

*Lasting* events are entries of the room's log: kept for ever, in order, delivered to every reader exactly once.
*Passing* ones (signals) go to the streams that are open at that moment, and are not stored or replayed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from chatserver.model import changes, signal_data
from chatserver.model.events import Event, Kind, Message


class Sent(Enum):
    """The form of a log entry on a stream."""

    AS_MESSAGE = "a block without an `event:` field"
    BY_NAME = "a block whose `event:` field is the kind"
    AS_END = "the word that ends the stream"
    NEVER = "not at all: its id only holds the chain together"


class LastingKind(NamedTuple):
    """`is_message`: it begins a message. `is_change`: it is about an earlier message, which `message_id` names.

    `apply`: returns the message after a change with this payload. `has_text`: it contains people's text, which is
    blanked when its message is deleted. `deletes`: it removes its message's text from all stores. `ends_log`: no event
    follows it.
    """

    sent: Sent
    is_message: bool = False
    is_change: bool = False
    apply: Callable[[Message, bytes], Message] | None = None
    has_text: bool = False
    deletes: bool = False
    ends_log: bool = False


LASTING: Mapping[Kind, LastingKind] = {
    "message": LastingKind(Sent.AS_MESSAGE, is_message=True, has_text=True),
    "edited": LastingKind(Sent.BY_NAME, is_change=True, apply=changes.apply_edit, has_text=True),
    "deleted": LastingKind(Sent.BY_NAME, is_change=True, apply=changes.apply_deletion, deletes=True),
    "reaction": LastingKind(Sent.BY_NAME, is_change=True, apply=changes.apply_reaction),
    "closed": LastingKind(Sent.AS_END, ends_log=True),
    "void": LastingKind(Sent.NEVER),
}

UNKNOWN = LastingKind(Sent.BY_NAME)
"""A kind from a newer release, whose processes may run beside this one. It is handed on as it is."""

PASSING: Mapping[signal_data.SignalName, type[msgspec.Struct]] = {
    "typing": signal_data.TypingData,
    "presence": signal_data.PresenceData,
    "read": signal_data.ReadData,
    "rooms": signal_data.RoomsData,
}
"""The data of each signal, by its name."""

MESSAGE: Kind = "message"
TEXTS_OF_CHANGES = tuple(name for name, kind in LASTING.items() if kind.is_change and kind.has_text)
"""The names of kinds, for queries."""

_WORDS = ("html", "mentions", "reply_to", "look")
"""Fields of a payload that reveal something of its `content`."""

_encoder = msgspec.json.Encoder()


def kind_named(name: Kind) -> LastingKind:
    return LASTING.get(name, UNKNOWN)


def kind_of(event: Event) -> LastingKind:
    return kind_named(event.kind)


def apply_changes(message: Message, events: Iterable[Event]) -> Message:
    """Returns the message after its changes `events`, which come in the order of the log.

    Applying a change twice has no further effect (except on the order of reactions, if some were taken back and given
    again).
    """
    for event in events:
        if message.deleted:
            break
        apply = kind_of(event).apply
        if apply is not None:
            message = apply(message, event.payload)
    return message


def without_text(event: Event) -> Event:
    """Returns the event without its text, for an event whose kind has text."""
    return replace(event, payload=payload_without_text(event.kind, event.payload))


def payload_without_text(kind: Kind, payload: bytes) -> bytes:
    """Returns a payload without its text. All other fields stay, `id` and `prev` too if they are there."""
    fields = msgspec.json.decode(payload)
    for name in _WORDS:
        fields.pop(name, None)
    fields["content"] = ""
    if LASTING[kind].is_message:
        fields["deleted"] = True
    return _encoder.encode(fields)
