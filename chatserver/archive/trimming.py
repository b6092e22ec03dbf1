"""Keeps Redis from growing: takes out of the rooms' logs what is archived and old, or more than is kept.

Each partition has its rooms in a set, by the time at which there will be something to take out; an append notes it
there, and so does each run of `trim.lua`. So nothing is forgotten with a process, and any of them may do what is due:
the first one does it, the others find it done. That two do it at once is harmless.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chatserver.errors import Unavailable
from chatserver.log.commands import KEEP, Keep
from chatserver.log.keys import PARTITIONS, branch_key, client_ids_key, due_key, log_key, pending_key, read_log_key
from chatserver.support.redis_client import connect, redis_errors_as_unavailable
from chatserver.support.redis_scripts import Call, Script, ScriptRunner, parse_answer

ROOMS_AT_ONCE = 4
"""Rooms of each partition that are trimmed in one round trip."""

ROUNDS = 20
"""Round trips of one sweep, at the most: the next one goes on."""

ENTRIES_AT_ONCE = 500
"""Entries that one run of the script takes out: short, since Redis does nothing else meanwhile."""

NAMES_AT_ONCE = 100
"""Client ids that one look of the script takes as a sample."""

KEYS_AT_ONCE = 500
"""Keys of Redis that are looked through at once for logs that nobody noted."""

ANY_LOG = "{chat*}:room:*:log"
"""A pattern that the key of each log matches."""

TRIM = Script.load(__file__, "trim.lua")


class Trimming:
    """Everything raises Unavailable when Redis does not answer. `keep`: as those who append know it."""

    def __init__(self, url: str, keep: Keep = KEEP) -> None:
        # Connections of its own: an append shall not wait behind this.
        self._runner = ScriptRunner(url, (TRIM,))
        self._reader = connect(url, connections=1)
        self._keep = keep
        self._cursor: int | None = 0

    async def close(self) -> None:
        await self._runner.close()
        await self._reader.aclose(close_connection_pool=True)

    async def trim(self) -> None:
        """Does what is due, or as much of it as one sweep shall."""
        for _ in range(ROUNDS):
            due = await self._due()
            if not due:
                return
            await self._trim(due)

    async def note_more(self) -> None:
        """Looks through some of Redis for logs of which nobody noted when to trim them, until all was looked through
        once: older releases had no such notes."""
        if self._cursor is None:
            return
        with redis_errors_as_unavailable():
            reader: Any = self._reader
            cursor, keys = await reader.scan(self._cursor, match=ANY_LOG, count=KEYS_AT_ONCE)
            rooms = [room_id for key in keys if (room_id := read_log_key(key)) is not None]
            if rooms:
                pipeline = reader.pipeline(transaction=False)
                for room_id in rooms:
                    pipeline.zadd(due_key(room_id), {str(room_id): 0}, nx=True)
                await pipeline.execute()
        self._cursor = cursor or None

    async def _trim(self, rooms: Sequence[int]) -> None:
        for answer in await self._runner.run(TRIM, lambda _: list(map(self._call, rooms))):
            if isinstance(outcome := parse_answer(answer, int), Unavailable):
                raise outcome

    async def _due(self) -> list[int]:
        with redis_errors_as_unavailable():
            pipeline = self._reader.pipeline(transaction=False)
            pipeline.time()
            for partition in range(PARTITIONS):
                pipeline.zrange(due_key(partition), 0, ROOMS_AT_ONCE - 1, withscores=True)
            (seconds, micros), *found = await pipeline.execute()
        now = seconds * 1000 + micros // 1000
        return [int(room) for rooms in found for room, due in rooms if due <= now]

    def _call(self, room_id: int) -> Call:
        keys: list[Any] = [log_key(room_id), client_ids_key(room_id), branch_key(room_id)]
        keys += [pending_key(room_id), due_key(room_id)]
        return keys, (room_id, *self._keep, ENTRIES_AT_ONCE, NAMES_AT_ONCE)
