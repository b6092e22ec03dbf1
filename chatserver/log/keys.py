"""The keys and channels of the rooms' logs in Redis.

The keys of a room share one hash slot (its partition's), so scripts that use them run on one Redis and on a node of a
cluster alike:

    {chat3}:room:42:log            the stream: fields kind, user, client, prev, payload
    {chat3}:room:42:names          the client ids of its entries: finds the first when a post is repeated
    {chat3}:room:42:branch         the point since which nothing was lost from it, and its base
    {chat3}:room:42:base           token for making the base of a new branch
    {chat3}:room:42:news           channel of the wake-ups: a hint, may be lost
    {chat3}:pending                events in a log of this partition that are not archived yet
    {chat3}:due                    the rooms of this partition that have a log here, by the time to trim it next

None of them stays for ever. Pending marks are cleared or swept; a base's token expires; a log is removed entry by entry
as it ages (`trimming.py`), and the room's other keys together with the last entry.
"""

from __future__ import annotations

import re

from chatserver.model.cursor import Cursor
from chatserver.model.event_id import EventId

PARTITIONS = 16
"""Hash slots that the rooms are spread over. Fixed for the life of the data in Redis, which may be thrown away."""

NEWS_IN_ARCHIVE = b"archive"
"""A wake-up that tells readers to read the archive too: it has events that the stream lacks or has otherwise."""


def log_key(room_id: int) -> bytes:
    return f"{_prefix(room_id)}:log".encode()


def read_log_key(key: bytes) -> int | None:
    """Returns the id of the room whose log has this key; None for any other key."""
    found = _LOG_KEY.fullmatch(key)
    return None if found is None or log_key(int(found[1])) != key else int(found[1])


def client_ids_key(room_id: int) -> str:
    return f"{_prefix(room_id)}:names"


def branch_key(room_id: int) -> str:
    return f"{_prefix(room_id)}:branch"


def base_key(room_id: int) -> str:
    return f"{_prefix(room_id)}:base"


def pending_key(room_id: int) -> str:
    return f"{{chat{room_id % PARTITIONS}}}:pending"


def due_key(room_id: int) -> str:
    return f"{{chat{room_id % PARTITIONS}}}:due"


def read_pending(member: bytes) -> EventId:
    """Parses a member of the set of pending events."""
    room_id, _, id = member.partition(b" ")
    return EventId(int(room_id), read_id(id))


def news_channel(room_id: int) -> str:
    """Returns the channel of a room's wake-ups: each is an event's id, or NEWS_IN_ARCHIVE."""
    return f"{_prefix(room_id)}:news"


def read_id(id: bytes) -> Cursor:
    ms, _, seq = id.partition(b"-")
    return Cursor(int(ms), int(seq))


_LOG_KEY = re.compile(rb"\{chat\d{1,4}\}:room:(\d{1,20}):log")


def _prefix(room_id: int) -> str:
    return f"{{chat{room_id % PARTITIONS}}}:room:{room_id}"
