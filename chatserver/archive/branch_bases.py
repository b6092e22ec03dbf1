"""BranchBases: the bases of new branches of a room's log.

When a log has lost something (see `append.lua`), events may be on their way into the archive that the log does not have
any more. A new branch can't know whether it follows them. So before its first event is visible, the archive reserves a
slot for that: a void with the branch's first id, behind the last archived event. From then on the archive refuses every
other event that would follow there, and lost events are appended again, behind the branch's beginning.

A reserved slot is no event: readers and the chain end before it, until the branch's first event fills it. If Redis
loses that too, the slot is released: it stays in the chain as a void, and the next branch's base is made behind it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pymongo import DESCENDING
from pymongo.errors import DuplicateKeyError

from chatserver.archive.database import Database, Document, mongodb_errors_as_unavailable
from chatserver.archive.event_documents import event_key, in_room, read_key
from chatserver.errors import Unavailable
from chatserver.log.commands import Base, BaseWanted
from chatserver.log.room_log import RoomLog
from chatserver.model.cursor import BEGINNING, Cursor
from chatserver.model.event_kinds import kind_named

LEAP_MS = 100
"""Distance of a branch's first id above the clock and all known ids: readers may have seen ids that no process
remembers."""

BASE_ATTEMPTS = 20
BASE_PAUSE_SECONDS = 0.05
"""Times that another process may be faster, and the pause after each."""


class LogEnded(Exception):
    """The room was closed, and no event can follow."""


class BranchBases:
    def __init__(self, database: Database, log: RoomLog, on_loss: Callable[[int], None]) -> None:
        """`on_loss`: called with the id of a room that has archived events, when its log is about to begin anew."""
        self._events = database.events
        self._log = log
        self._on_loss = on_loss
        # Bases in the making, so that a thousand posts after a restart of Redis make one.
        self._making: dict[tuple[int, bytes], asyncio.Task[Base | None]] = {}

    async def make(self, room_id: int, wanted: BaseWanted) -> Base | None:
        """Returns a base that no lost event can follow; None if it is not wanted any more.

        All callers with the same token get the same. Raises LogEnded, Unavailable.
        """
        key = room_id, wanted.token
        if key not in self._making:
            self._making[key] = asyncio.create_task(self._make(room_id, wanted))
            self._making[key].add_done_callback(lambda _: self._making.pop(key))
        return await asyncio.shield(self._making[key])

    async def _make(self, room_id: int, wanted: BaseWanted) -> Base | None:
        with mongodb_errors_as_unavailable():
            for _ in range(BASE_ATTEMPTS):
                newest = await self._events.find_one(in_room(room_id), sort=[("_id", DESCENDING)])
                if newest is not None and kind_named(newest["kind"]).ends_log:
                    raise LogEnded  # the log that knew it is gone
                if newest is not None and newest.get("kept_for") == wanted.token:
                    return Base(wanted.token, Cursor.parse(newest["prev"]), read_key(newest["_id"]))
                # Asked after the look above: only then is it certain that no branch began there and was filled since.
                if not await self._log.wants_base(room_id, wanted.token):
                    return None
                if newest is not None and "kept_for" in newest:
                    await self._release(newest)
                elif (base := await self._reserve(room_id, newest, wanted)) is not None:
                    return base
                await asyncio.sleep(BASE_PAUSE_SECONDS)
        raise Unavailable(because="the log is busy", retry_after=2)

    async def _reserve(self, room_id: int, newest: Document | None, wanted: BaseWanted) -> Base | None:
        """Reserves the slot behind `newest`. Returns None if another event follows that, even one that the majority
        does not have yet."""
        prev = BEGINNING if newest is None else read_key(newest["_id"])
        seen = self._log.seen(room_id)
        id = Cursor(max(_ms(wanted.token), wanted.above.ms, seen.ms, prev.ms) + LEAP_MS, 0)
        place = {"_id": event_key(room_id, id), "prev": str(prev), "kind": "void", "user_id": 0}
        try:
            await self._events.insert_one({**place, "kept_for": wanted.token})
        except DuplicateKeyError:
            return None
        if newest is not None:
            self._on_loss(room_id)
        return Base(wanted.token, prev, id)

    async def _release(self, place: Document) -> None:
        """Turns a reserved slot into a plain void, unless it was filled in between."""
        await self._events.update_one(
            {"_id": place["_id"], "kept_for": place["kept_for"]}, {"$unset": {"kept_for": ""}}
        )


def _ms(token: bytes) -> int:
    """Returns the milliseconds of a token, which is the time of Redis's clock when the base was asked for,
    `<seconds>.<microseconds>`."""
    seconds, _, micros = token.partition(b".")
    return int(seconds) * 1000 + int(micros) // 1000
