"""A reader of the rooms' logs in Redis: the entries of the streams, their ends, and the events not archived yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, groupby
from typing import Any, cast

from cachetools import LRUCache
from redis.exceptions import ResponseError

from chatserver.log.commands import MAX_PENDING, TIPS
from chatserver.log.keys import PARTITIONS, base_key, log_key, pending_key, read_id, read_pending
from chatserver.model.cursor import BEGINNING, END, Cursor
from chatserver.model.event_id import EventId
from chatserver.model.events import Event, Kind
from chatserver.support.redis_client import connect, redis_errors_as_unavailable

READERS = 8
"""Connections for reading. Pages are bounded, so a waiting reader gets one soon."""

TIPS_AT_ONCE = 200
"""Logs that one run of a script looks at: a fraction of a millisecond in which Redis does nothing else."""

SEEN_ROOMS = 20_000
"""Rooms whose highest seen id is kept (about 200 bytes each)."""


class LogReader:
    """Reads the logs of all rooms. Every method raises Unavailable when Redis does not answer."""

    def __init__(self, url: str) -> None:
        self._reader = connect(url, connections=READERS)
        # The highest id of each room that this process has seen, archived or not.
        self._seen: LRUCache[int, Cursor] = LRUCache(SEEN_ROOMS)

    async def after(self, room_id: int, cursor: Cursor, limit: int) -> list[Event]:
        """Returns the oldest `limit` events behind the cursor that the stream still has."""
        return (await self.after_each({room_id: cursor}, limit)).get(room_id, [])

    async def after_each(self, cursors: Mapping[int, Cursor], limit: int) -> dict[int, list[Event]]:
        """Does the same for many rooms, with one XREAD for each partition. Rooms without news are left out."""
        by_partition: dict[int, dict[bytes, int]] = {}
        for room_id in cursors:
            by_partition.setdefault(room_id % PARTITIONS, {})[log_key(room_id)] = room_id
        found: dict[int, list[Event]] = {}
        with redis_errors_as_unavailable():
            pipeline = self._reader.pipeline(transaction=False)
            for rooms in by_partition.values():
                pipeline.xread({key: str(cursors[room_id]) for key, room_id in rooms.items()}, count=limit)
            for rooms, answer in zip(by_partition.values(), await pipeline.execute(), strict=True):
                for key, entries in answer or ():
                    found[rooms[key]] = [_event(rooms[key], id, fields) for id, fields in entries]
        for events in found.values():
            self._see(events[-1])
        return found

    async def before(self, room_id: int, cursor: Cursor, limit: int) -> list[Event]:
        """Returns the newest `limit` events before the cursor that the stream still has, oldest first."""
        newest = "+" if cursor == END else f"({cursor}"
        with redis_errors_as_unavailable():
            entries: Any = await self._reader.xrevrange(log_key(room_id), max=newest, min="-", count=limit)
        events = [_event(room_id, id, fields) for id, fields in reversed(entries)]
        if events:
            self._see(events[-1])
        return events

    async def find(self, room_id: int, id: Cursor) -> Event | None:
        """Returns the event with this id, if the stream still has it."""
        if id == BEGINNING:
            return None
        with redis_errors_as_unavailable():
            entries: Any = await self._reader.xrange(log_key(room_id), min=str(id), max=str(id))
        return _event(room_id, *entries[0]) if entries else None

    async def tip(self, room_id: int) -> Cursor | None:
        """Returns the last id that the stream generated (it may be trimmed since), or None if there is no stream."""
        with redis_errors_as_unavailable():
            try:
                info = await self._reader.xinfo_stream(log_key(room_id))
            except ResponseError:
                return None
        return read_id(info["last-generated-id"])

    async def tips(self, rooms: Sequence[int]) -> dict[int, Cursor]:
        """Does the same for many rooms, in one round trip. Rooms without a stream are left out."""
        in_order = sorted(rooms, key=lambda room_id: room_id % PARTITIONS)
        asked = [
            some[start : start + TIPS_AT_ONCE]
            for _, each in groupby(in_order, key=lambda room_id: room_id % PARTITIONS)
            for some in [list(each)]
            for start in range(0, len(some), TIPS_AT_ONCE)
        ]
        with redis_errors_as_unavailable():
            pipeline = self._reader.pipeline(transaction=False)
            for some in asked:
                pipeline.eval(TIPS.text, len(some), *map(log_key, some))
            answers = await pipeline.execute()
        tips = chain.from_iterable(answers)
        return {id: read_id(tip) for id, tip in zip(chain.from_iterable(asked), tips, strict=True) if tip is not None}

    async def moment(self) -> Cursor:
        """Returns the current time of Redis's clock, from which ids are taken."""
        with redis_errors_as_unavailable():
            seconds, microseconds = await self._reader.time()
        return Cursor(seconds * 1000 + microseconds // 1000, 0)

    def seen(self, room_id: int) -> Cursor:
        """Returns the highest id of the room that this process has seen, archived or not."""
        return self._seen.get(room_id, BEGINNING)

    async def pending(self) -> list[EventId]:
        """Returns the events that are not archived yet, as far as the log knows."""
        with redis_errors_as_unavailable():
            pipeline = self._reader.pipeline(transaction=False)
            for partition in range(PARTITIONS):
                pipeline.zrange(pending_key(partition), 0, MAX_PENDING)
            found: list[list[bytes]] = await pipeline.execute()
        return [read_pending(member) for members in found for member in members]

    async def wants_base(self, room_id: int, token: bytes) -> bool:
        """Returns True if the room still has no branch, and waits for the base that this token was given out for."""
        with redis_errors_as_unavailable():
            return bool(await self._reader.get(base_key(room_id)) == token)

    async def ping(self) -> None:
        with redis_errors_as_unavailable():
            await cast("Any", self._reader.ping())

    async def close(self) -> None:
        await self._reader.aclose(close_connection_pool=True)

    def _see(self, event: Event) -> None:
        """Remembers the room's highest id, so that a log that lost it is not continued below it."""
        if event.id > self._seen.get(event.room_id, BEGINNING):
            self._seen[event.room_id] = event.id


def _event(room_id: int, id: bytes, fields: Mapping[bytes, bytes]) -> Event:
    return Event(
        room_id=room_id,
        id=read_id(id),
        prev=read_id(fields[b"prev"]),
        kind=cast("Kind", fields[b"kind"].decode()),
        user_id=int(fields[b"user"]),
        client_id=fields[b"client"].decode(),
        payload=fields[b"payload"],
    )
