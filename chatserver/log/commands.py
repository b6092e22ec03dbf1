"""The scripts that change the rooms' logs: what they are asked, and what their answers mean.

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
"""While the archive is away nobody can ask it about a client id. For so long after a branch began, a post may then be a
repeat of what came before the branch, and has to wait; later the risk is taken (the archive finds out when it is back).
"""

BASE_MS = 10_000
"""How long those who ask for a base are given the same token. Then another one is made."""

MAX_PENDING = 5_000
"""Events of a partition that may wait for the archive. While it is away the log grows no further than this, and a post
is refused instead of piled up."""


class Keep(NamedTuple):
    """What a room's log keeps of what is archived. Readers that were away for longer are served from the archive.

    `at_least_ms`: what is younger stays, even if it is more: a post may be on its way that asked the archive for the
    same client id before that was there. A closed room keeps nothing else.
    """

    entries: int = 1_000
    ms: int = 24 * 3600_000
    at_least_ms: int = 30_000


KEEP = Keep()


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
    """What one event asks of `clear_pending.lua`. `name` is empty where only the mark is to go."""

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
"""What became of an append."""


APPEND, CLEAR_PENDING, TIPS = (Script.load(__file__, name) for name in ("append.lua", "clear_pending.lua", "tips.lua"))


def _or_nothing(id: Cursor | None) -> str:
    return "" if id is None else str(id)


def _placed(draft: Draft, id: bytes, prev: bytes) -> Event:
    return Event(draft.room_id, read_id(id), read_id(prev), draft.kind, draft.user_id, draft.client_id, draft.payload)
