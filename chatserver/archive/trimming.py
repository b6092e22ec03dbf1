"""Trimming: removes archived entries from the rooms' logs when they are old or too many, so that Redis does not grow.

Each partition has its rooms in a set, by the time at which there will be something to remove. An append notes it there,
and so does each run of `trim.lua`. So no note dies with a process, and any process may trim what is due: the first one
does it, the others find it done. Two at once are harmless.
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
"""Most rooms of each partition that are trimmed in one round trip."""

ROUNDS = 20
"""Most round trips of one sweep: the next sweep goes on."""

ENTRIES_AT_ONCE = 500
"""Most entries that one run of the script removes: few, since Redis does nothing else meanwhile."""

NAMES_AT_ONCE = 100
"""Client ids in each of the script's samples."""

KEYS_AT_ONCE = 500
"""Keys of Redis that one step of the search for logs without a note looks at."""

ANY_LOG = "{chat*}:room:*:log"
"""A pattern that matches the key of every log."""

TRIM = Script.load(__file__, "trim.lua")


class Trimming:
    """Every method raises Unavailable when Redis does not answer. `keep`: the same as for appending."""

    def __init__(self, url: str, keep: Keep = KEEP) -> None:
        # Connections of its own, so that no append waits behind this.
        self._runner = ScriptRunner(url, (TRIM,))
        self._reader = connect(url, connections=1)
        self._keep = keep
        self._cursor: int | None = 0

    async def close(self) -> None:
        await self._runner.close()
        await self._reader.aclose(close_connection_pool=True)

    async def trim(self) -> None:
        """Trims the rooms that are due, in at most ROUNDS round trips."""
        for _ in range(ROUNDS):
            due = await self._due()
            if not due:
                return
            await self._trim(due)

    async def note_more(self) -> None:
        """Looks through some of Redis for logs without a note of when to trim them, until all keys were seen once:
        older releases had no such notes."""
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
