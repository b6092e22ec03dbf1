"""The scripts that change a room's log: what they are called with, and what their answers mean.

The scripts themselves are `append.lua`, `confirm.lua` and `trim.lua`. The keys of a room share one hash slot (its
partition's), so they run on one Redis and on a node of a cluster alike:

    {chat3}:room:42:log            the stream: fields kind, user, client, prev, payload
    {chat3}:room:42:client:7:x     the id that client id x of user 7 was given; settles repeats that are in flight
    {chat3}:room:42:floor          token of a look-up of the room's floor
    {chat3}:room:42:news           channel of the wake-ups: a hint, may be lost
    {chat3}:pending                what is in a log of this partition and not archived yet
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import msgspec

from chatserver.cursor import Cursor
from chatserver.events import Draft, Event, Kind

PARTITIONS = 16
"""Hash slots that the rooms are spread over. Fixed for the life of the data in Redis, which may be thrown away."""

REMEMBER_MS = 15 * 60_000
"""How long Redis settles repeats of a client id. The archive does so for ever; this bridges what is in flight."""

MAX_PENDING = 5_000
"""Events of a partition that may wait for the archive. While it is away the log grows no further than this, and a post
is refused instead of piled up."""

KEEP_ENTRIES = 1_000
KEEP_MS = 24 * 3600_000
"""What a room's log keeps of what is archived. Readers that were away for longer are served from the archive."""

TRIM_AT_ONCE = 500
"""Entries that one run of the script takes out: short, since Redis does nothing else meanwhile."""

NEWS_IN_ARCHIVE = b"archive"
"""A wake-up that says: look into the archive too, the stream does not have it."""


class Place(NamedTuple):
    """Where an event stands: in which room's log, and there under which id."""

    room_id: int
    id: Cursor


class Appended(NamedTuple):
    """The event as it stands in the log. `repeated`: it stood there before this call."""

    event: Event
    repeated: bool


class SeenBefore(NamedTuple):
    """The client id was given this id, but the entry has left the stream: trimmed if archived, else lost."""

    id: Cursor


class FloorWanted(NamedTuple):
    """The floor is not believed. Look up the room's highest archived id and append again, with it and this token."""

    token: bytes


class Lost(NamedTuple):
    """The entry of an archived event is gone from the stream, and the log goes on, perhaps from an earlier one.
    `goes_on_from`: an event after which it does; the archive knows whether the chain leads back from there."""

    goes_on_from: Cursor


class Full(NamedTuple):
    """Nothing was appended: too much waits for the archive."""


class Append(NamedTuple):
    """A call of `append.lua`."""

    draft: Draft
    floor: Cursor
    generation: int
    token: bytes
    lost: Cursor | None

    def call(self, seen: Cursor) -> Call:
        draft = self.draft
        keys = (
            log_key(draft.room_id),
            f"{_prefix(draft.room_id)}:client:{draft.user_id}:{draft.client_id}",
            pending_key(draft.room_id),
            _floor_key(draft.room_id),
        )
        arguments = (
            draft.room_id,
            draft.kind,
            draft.user_id,
            draft.client_id,
            draft.payload,
            str(self.floor),
            self.token,
            "" if self.lost is None else str(self.lost),
            str(seen),
            REMEMBER_MS,
            news_channel(draft.room_id),
            MAX_PENDING,
        )
        return keys, arguments

    def outcome(self, answer: Any) -> Appended | SeenBefore | FloorWanted | Full:
        match answer:
            case [b"new", id, prev]:
                return Appended(_placed(self.draft, id, prev), repeated=False)
            case [b"seen", id, prev, kind, payload]:
                first = msgspec.structs.replace(self.draft, kind=cast("Kind", kind.decode()), payload=payload)
                return Appended(_placed(first, id, prev), repeated=True)
            case [b"seen", id]:
                return SeenBefore(read_id(id))
            case [b"floor", token]:
                return FloorWanted(token)
            case [b"full"]:
                return Full()
        raise TypeError(f"append.lua answered {answer!r}")


class Confirm(NamedTuple):
    """A call of `confirm.lua`."""

    room_id: int
    id: Cursor

    def call(self) -> Call:
        keys = log_key(self.room_id), pending_key(self.room_id), _floor_key(self.room_id)
        return keys, (self.room_id, str(self.id), news_channel(self.room_id))

    def outcome(self, answer: Any) -> Lost | None:
        match answer:
            case [b"kept"]:
                return None
            case [b"lost", id]:
                return Lost(read_id(id))
        raise TypeError(f"confirm.lua answered {answer!r}")


class Trim(NamedTuple):
    """A call of `trim.lua`."""

    room_id: int

    def call(self) -> Call:
        keys = log_key(self.room_id), pending_key(self.room_id)
        return keys, (KEEP_ENTRIES, KEEP_MS, TRIM_AT_ONCE)

    def outcome(self, answer: Any) -> bool:
        """Whether there is more to take out."""
        return bool(answer)


Call = tuple[Sequence[Any], Sequence[Any]]
"""The keys and the arguments of one run of a script."""


class Script(NamedTuple):
    text: str
    sha: str

    @classmethod
    def load(cls, name: str) -> Script:
        text = Path(__file__).with_name(name).read_text(encoding="utf-8")
        return cls(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


def log_key(room_id: int) -> bytes:
    return f"{_prefix(room_id)}:log".encode()


def pending_key(room_id: int) -> str:
    return f"{{chat{room_id % PARTITIONS}}}:pending"


def read_pending(member: bytes) -> Place:
    """A member of the set of pending events."""
    room_id, _, id = member.partition(b" ")
    return Place(int(room_id), read_id(id))


def news_channel(room_id: int) -> str:
    """Where it is said that a room has news: an event's id, or NEWS_IN_ARCHIVE."""
    return f"{_prefix(room_id)}:news"


def read_id(id: bytes) -> Cursor:
    ms, _, seq = id.partition(b"-")
    return Cursor(int(ms), int(seq))


def _prefix(room_id: int) -> str:
    return f"{{chat{room_id % PARTITIONS}}}:room:{room_id}"


def _floor_key(room_id: int) -> str:
    return f"{_prefix(room_id)}:floor"


def _placed(draft: Draft, id: bytes, prev: bytes) -> Event:
    return Event(draft.room_id, read_id(id), read_id(prev), draft.kind, draft.user_id, draft.client_id, draft.payload)
