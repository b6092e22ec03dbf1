"""The scripts that change the rooms' logs: what they are asked, and what their answers mean.

The scripts themselves are `append.lua`, `settle.lua` and `trim.lua`. The keys of a room share one hash slot (its
partition's), so they run on one Redis and on a node of a cluster alike:

    {chat3}:room:42:log            the stream: fields kind, user, client, prev, payload
    {chat3}:room:42:names          the client ids of its entries: finds the first when a post is repeated
    {chat3}:room:42:branch         since when nothing was lost from it, and what that stands on
    {chat3}:room:42:base           token of whoever is making the base of a new branch
    {chat3}:room:42:news           channel of the wake-ups: a hint, may be lost
    {chat3}:pending                what is in a log of this partition and not archived yet
    {chat3}:due                    the rooms of this partition that have a log here, by when to trim it next

All of them have an end. What is pending is settled or swept; a base's token expires; a log goes entry by entry as it
ages (`trimming.py`), and the last of it takes the room's other keys along.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any, NamedTuple, cast

import msgspec

from chatserver.cursor import Cursor
from chatserver.events import Draft, Event, Kind

PARTITIONS = 16
"""Hash slots that the rooms are spread over. Fixed for the life of the data in Redis, which may be thrown away."""

REPEAT_MS = 5 * 60_000
"""While the archive is away nobody can ask it about a client id. For so long after a branch began, a post may then be a
repeat of what came before the branch, and has to wait; later the risk is taken (the archive finds out when it is back).
"""

BASE_MS = 10_000
"""How long those who ask for a base are given the same token. Then another one is made."""

MAX_PENDING = 5_000
"""Events of a partition that may wait for the archive. While it is away the log grows no further than this, and a post
is refused instead of piled up."""

NEWS_IN_ARCHIVE = b"archive"
"""A wake-up that says: look into the archive too, it knows better than the stream."""


class Keep(NamedTuple):
    """What a room's log keeps of what is archived. Readers that were away for longer are served from the archive.

    `at_least_ms`: what is younger stays, even if it is more: a post may be on its way that asked the archive for the
    same client id before that was there. A closed room keeps nothing else.
    """

    entries: int = 1_000
    ms: int = 24 * 3600_000
    at_least_ms: int = 30_000


KEEP = Keep()


class Place(NamedTuple):
    """Where an event stands: in which room's log, and there under which id."""

    room_id: int
    id: Cursor


class Appended(NamedTuple):
    """The event as it stands in the log. `repeated`: it stood there before this call."""

    event: Event
    repeated: bool


class Gone(NamedTuple):
    """Nothing was appended: the client id was in the log, and the entry with this id was taken out. Ask the archive."""

    id: Cursor


class OtherBranch(NamedTuple):
    """Nothing was appended: the room has this branch, not the one that the caller knew of."""

    id: Cursor


class BaseWanted(NamedTuple):
    """Nothing was appended: there is no branch. Make a base for one, with an id above this one, and append again."""

    token: bytes
    above: Cursor


class Closed(NamedTuple):
    """Nothing was appended: nothing follows the end of a log."""


class Unsure(NamedTuple):
    """Nothing was appended: whether this is a repeat can't be known while the archive is away."""


class Full(NamedTuple):
    """Nothing was appended: too much waits for the archive."""


class Base(NamedTuple):
    """What a new branch stands on: `prev` of its first event, whose id is `id`. The archive keeps both places free."""

    token: bytes
    prev: Cursor
    id: Cursor


class Append(NamedTuple):
    """What one event asks of `append.lua`."""

    draft: Draft
    branch: Cursor | None
    base: Base | None
    lost: Cursor | None
    looked_up: bool

    @property
    def room_id(self) -> int:
        return self.draft.room_id

    def touched(self) -> tuple[bytes | str, ...]:
        return log_key(self.room_id), names_key(self.room_id), branch_key(self.room_id), base_key(self.room_id)

    def words(self, seen: Cursor) -> dict[str, Any]:
        draft = self.draft
        token, base, first = self.base or (b"", None, None)
        return {
            "room": str(draft.room_id),
            "kind": draft.kind,
            "user": str(draft.user_id),
            "client": draft.client_id,
            "payload": draft.payload.decode(),
            "branch": _or_nothing(self.branch),
            "token": token.decode(),
            "base": _or_nothing(base),
            "first": _or_nothing(first),
            "lost": _or_nothing(self.lost),
            "looked_up": self.looked_up,
            "seen": str(seen),
            "news": news_channel(draft.room_id),
        }

    def outcome(self, answer: Any) -> Outcome:
        match answer:
            case [b"new", id, prev]:
                return Appended(_placed(self.draft, id, prev), repeated=False)
            case [b"seen", id, prev, kind, payload]:
                first = msgspec.structs.replace(self.draft, kind=cast("Kind", kind.decode()), payload=payload)
                return Appended(_placed(first, id, prev), repeated=True)
            case [b"gone", id]:
                return Gone(read_id(id))
            case [b"branch", id]:
                return OtherBranch(read_id(id))
            case [b"base", token, above]:
                return BaseWanted(token, read_id(above))
            case [b"closed"]:
                return Closed()
            case [b"unsure"]:
                return Unsure()
            case [b"full"]:
                return Full()
        raise TypeError(f"append.lua answered {answer!r}")


class Settle(NamedTuple):
    """What one event asks of `settle.lua`. `name` is empty where only the mark is to go."""

    room_id: int
    id: Cursor
    name: str
    counts: bool

    def touched(self) -> tuple[bytes | str, ...]:
        return log_key(self.room_id), names_key(self.room_id)

    def words(self) -> dict[str, Any]:
        return {
            "room": str(self.room_id),
            "id": str(self.id),
            "name": self.name,
            "news": news_channel(self.room_id),
            "counts": self.counts,
        }


Outcome = Appended | Gone | OtherBranch | BaseWanted | Closed | Unsure | Full
"""What became of an append."""


class Script(NamedTuple):
    text: str
    sha: str

    @classmethod
    def load(cls, name: str) -> Script:
        text = Path(__file__).with_name(name).read_text(encoding="utf-8")
        return cls(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


APPEND, SETTLE, TIPS = map(Script.load, ("append.lua", "settle.lua", "tips.lua"))


def log_key(room_id: int) -> bytes:
    return f"{_prefix(room_id)}:log".encode()


def read_log_key(key: bytes) -> int | None:
    """The room whose log's key this is; None for any other key."""
    found = _LOG_KEY.fullmatch(key)
    return None if found is None or log_key(int(found[1])) != key else int(found[1])


def names_key(room_id: int) -> str:
    return f"{_prefix(room_id)}:names"


def branch_key(room_id: int) -> str:
    return f"{_prefix(room_id)}:branch"


def base_key(room_id: int) -> str:
    return f"{_prefix(room_id)}:base"


def pending_key(room_id: int) -> str:
    return f"{{chat{room_id % PARTITIONS}}}:pending"


def due_key(room_id: int) -> str:
    return f"{{chat{room_id % PARTITIONS}}}:due"


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


_LOG_KEY = re.compile(rb"\{chat\d{1,4}\}:room:(\d{1,20}):log")


def _prefix(room_id: int) -> str:
    return f"{{chat{room_id % PARTITIONS}}}:room:{room_id}"


def _or_nothing(id: Cursor | None) -> str:
    return "" if id is None else str(id)


def _placed(draft: Draft, id: bytes, prev: bytes) -> Event:
    return Event(draft.room_id, read_id(id), read_id(prev), draft.kind, draft.user_id, draft.client_id, draft.payload)
