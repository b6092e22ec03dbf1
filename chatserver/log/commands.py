"""Commands on the rooms' logs: the arguments of the scripts, and the meaning of their answers.

The scripts themselves are `append.lua`, `clear_pending.lua` and `tips.lua`; their keys are in `keys.py`.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import msgspec

from chatserver.log.keys import base_key, branch_key, client_ids_key, log_key, news_channel, read_id
from chatserver.model.cursor import Cursor
from chatserver.model.event_kinds import LASTING
from chatserver.model.events import Draft, Event, Kind
from chatserver.support.redis_scripts import Script

REPEAT_MS = 5 * 60_000
"""While the archive is away, client ids can't be looked up in it. For so long after a branch began, a post may then be
a repeat from before the branch, and has to wait; later the risk is taken (the archive finds out when it is back)."""

BASE_MS = 10_000
"""Lifetime of a base token in Redis; callers within it share one token."""

MAX_PENDING = 5_000
"""Events of a partition that may wait for the archive. While it is away the log grows no further than this, and posts
are refused instead of piled up."""


class Keep(NamedTuple):
    """The archived entries that a room's log keeps. Readers that were away for longer are served from the archive.

    `at_least_ms`: younger entries stay, even if there are more: a post may be on its way that asked the archive for the
    same client id before the entry was archived. A closed room keeps nothing else.
    """

    entries: int = 1_000
    ms: int = 24 * 3600_000
    at_least_ms: int = 30_000


KEEP = Keep()


class Appended(NamedTuple):
    """`event`: as it stands in the log. `repeated`: it stood there before this call."""

    event: Event
    repeated: bool


class Gone(NamedTuple):
    """Nothing was appended: the client id was in the log, and its entry, with this id, was removed. Ask the archive."""

    id: Cursor


class OtherBranch(NamedTuple):
    """Nothing was appended: the room has this branch, not the one that the caller knew."""

    id: Cursor


class BaseWanted(NamedTuple):
    """Nothing was appended: there is no branch. Make a base for one, with an id above this one, and append again."""

    token: bytes
    above: Cursor


class Closed(NamedTuple):
    """Nothing was appended: nothing follows the end of a log."""


class Unsure(NamedTuple):
    """Nothing was appended: it may be a repeat, which can't be known while the archive is away."""


class Full(NamedTuple):
    """Nothing was appended: too many events wait for the archive."""


class Base(NamedTuple):
    """The base of a new branch: `prev` of its first event, whose id is `id`. The archive reserves both places."""

    token: bytes
    prev: Cursor
    id: Cursor


class Append(NamedTuple):
    """A request to `append.lua` for one event."""

    draft: Draft
    branch: Cursor | None
    base: Base | None
    lost: Cursor | None
    looked_up: bool

    @property
    def room_id(self) -> int:
        return self.draft.room_id

    def all_keys(self) -> tuple[bytes | str, ...]:
        return log_key(self.room_id), client_ids_key(self.room_id), branch_key(self.room_id), base_key(self.room_id)

    def arguments(self, seen: Cursor) -> dict[str, Any]:
        draft = self.draft
        token, base, first = self.base or (b"", None, None)
        return {
            "room": str(draft.room_id),
            "kind": draft.kind,
            "ends": LASTING[draft.kind].ends_log,
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


class ClearPending(NamedTuple):
    """A request to `clear_pending.lua` for one event. `name` is empty if only the mark is to be removed."""

    room_id: int
    id: Cursor
    name: str
    is_archived: bool

    def all_keys(self) -> tuple[bytes | str, ...]:
        return log_key(self.room_id), client_ids_key(self.room_id)

    def arguments(self) -> dict[str, Any]:
        return {
            "room": str(self.room_id),
            "id": str(self.id),
            "name": self.name,
            "news": news_channel(self.room_id),
            "is_archived": self.is_archived,
        }


Outcome = Appended | Gone | OtherBranch | BaseWanted | Closed | Unsure | Full
"""The outcome of an append."""


APPEND, CLEAR_PENDING, TIPS = (Script.load(__file__, name) for name in ("append.lua", "clear_pending.lua", "tips.lua"))


def _or_nothing(id: Cursor | None) -> str:
    return "" if id is None else str(id)


def _placed(draft: Draft, id: bytes, prev: bytes) -> Event:
    return Event(draft.room_id, read_id(id), read_id(prev), draft.kind, draft.user_id, draft.client_id, draft.payload)
