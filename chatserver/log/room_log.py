"""The rooms' logs: a Redis Stream each, whose ids are the order of the room.

Only this file and the scripts it runs say XADD, XREAD or XRANGE. Redis may forget all of it at any moment. What was
acknowledged is in the archive; `append.lua` says how a log that lost its beginning, its end or everything is noticed,
and goes on as a new branch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, groupby
from typing import Any, cast

from cachetools import LRUCache
from redis.exceptions import ResponseError

from chatserver.log.batch import Batch
from chatserver.log.commands import (
    APPEND,
    BASE_MS,
    KEEP,
    MAX_PENDING,
    REPEAT_MS,
    SETTLE,
    TIPS,
    Append,
    Appended,
    Base,
    Keep,
    Outcome,
    Settle,
)
from chatserver.log.keys import PARTITIONS, base_key, due_key, log_key, pending_key, read_id, read_pending
from chatserver.log.own_news import OwnNews
from chatserver.model.cursor import BEGINNING, END, Cursor
from chatserver.model.event_id import EventId
from chatserver.model.events import Draft, Event, Kind
from chatserver.support.group_commit import GroupCommit
from chatserver.support.redis_client import connect, reaching_redis
from chatserver.support.redis_scripts import Call, ScriptRunner, read

READERS = 8
"""Connections for reading. Pages are bounded, so a waiting reader's turn comes soon."""

KEEP_SECONDS = 0.2
"""How long the pending marks of what is archived are gathered before they are taken off. Nobody waits for that."""

TIPS_AT_ONCE = 200
"""Logs that are asked for in one run of a script: a fraction of a millisecond in which Redis does nothing else."""

SEEN_ROOMS = 20_000
"""Rooms whose highest seen id is kept (about 200 bytes each)."""


class RoomLog:
    """The logs of all rooms. Everything raises Unavailable when Redis does not answer.

    `keep`: how much of them stays here, by which an append notes when the log is to be trimmed.
    """

    def __init__(self, url: str, keep: Keep = KEEP) -> None:
        # One connection for what changes the log, so that it is changed in the order in which that was asked for.
        self._runner = ScriptRunner(url, (APPEND, SETTLE))
        self._keep = keep
        self._reader = connect(url, connections=READERS)
        self._appends: GroupCommit[Append, Outcome] = GroupCommit(self._append_all)
        self._settlings: GroupCommit[Settle, None] = GroupCommit(self._settle_all)
        self._keeps: GroupCommit[Settle, None] = GroupCommit(self._settle_all, linger=KEEP_SECONDS)
        self._appending: frozenset[int] = frozenset()
        self.own_news = OwnNews()
        """The events that this process appended."""
        # The highest id of each room that this process has seen, archived or not.
        self._seen: LRUCache[int, Cursor] = LRUCache(SEEN_ROOMS)

    # Writing

    def is_appending(self, room_id: int) -> bool:
        """Whether this process has asked for an append there, and was not told yet what became of it."""
        return room_id in self._appending or self.own_news.is_waiting(room_id)

    async def append(
        self,
        draft: Draft,
        branch: Cursor | None,
        *,
        base: Base | None = None,
        lost: Cursor | None = None,
        looked_up: bool = True,
    ) -> Outcome:
        """Puts an event at the end of its room's log, unless its client id is there already.

        `branch`: the room's branch, if it is known.
        `base`: what a new one stands on, if there is none.
        `lost`: an id under which this event was there, and that the archive refused.
        `looked_up`: whether the archive was asked for the client id since the branch began.
        """
        outcome = await self._appends.submit(Append(draft, branch, base, lost, looked_up))
        if isinstance(outcome, Appended):
            self._see(outcome.event)
        return outcome

    def keep(self, event: Event) -> None:
        """The event is archived: takes its pending mark off, in a moment. Should that fail, the sweep finds it."""
        self._keeps.hand_in(Settle(event.room_id, event.id, _name(event), counts=True))

    async def settled(self) -> None:
        """Returns when all that was kept has lost its mark, as far as Redis could be reached."""
        await self._keeps.join()

    async def discard(self, event: Event | Draft, id: Cursor) -> None:
        """The event does not count under this id: takes it out, with its mark."""
        await self._settlings.submit(Settle(event.room_id, id, _name(event), counts=False))

    async def release(self, place: EventId) -> None:
        """Takes the mark off an event that is gone."""
        await self._settlings.submit(Settle(*place, name="", counts=True))

    async def take_out(self, room_id: int, ids: Sequence[Cursor]) -> None:
        """Takes entries out that the archive has otherwise: readers find the hole, and look there. Their client ids
        stay known until the room's log is trimmed."""
        with reaching_redis():
            await self._reader.xdel(log_key(room_id), *map(str, ids))

    async def wants_base(self, room_id: int, token: bytes) -> bool:
        """Whether the room still has no branch, and waits for the base that was asked for with this token."""
        with reaching_redis():
            return bool(await self._reader.get(base_key(room_id)) == token)

    def seen(self, room_id: int) -> Cursor:
        """The highest id of the room that this process has seen, archived or not."""
        return self._seen.get(room_id, BEGINNING)

    async def pending(self) -> list[EventId]:
        """The events that are not archived yet, as far as the log knows."""
        with reaching_redis():
            pipeline = self._reader.pipeline(transaction=False)
            for partition in range(PARTITIONS):
                pipeline.zrange(pending_key(partition), 0, MAX_PENDING)
            found: list[list[bytes]] = await pipeline.execute()
        return [read_pending(member) for members in found for member in members]

    async def _append_all(self, appends: Sequence[Append]) -> Sequence[Any]:
        batch = Batch(appends)

        def calls(server: bytes) -> list[Call]:
            return batch.calls(
                lambda append: append.words(self.seen(append.room_id)),
                server,
                MAX_PENDING,
                REPEAT_MS,
                BASE_MS,
                *self._keep,
                keys_of=(pending_key, due_key),
            )

        self._appending = frozenset(append.room_id for append in appends)
        try:
            answers = batch.answers(await self._runner.run(APPEND, calls))
        finally:
            self._appending = frozenset()
        outcomes = [read(answer, append.outcome) for append, answer in zip(appends, answers, strict=True)]
        self.own_news.tell(
            outcome.event for outcome in outcomes if isinstance(outcome, Appended) and not outcome.repeated
        )
        return outcomes

    async def _settle_all(self, settlings: Sequence[Settle]) -> Sequence[Any]:
        batch = Batch(settlings)
        answers = batch.answers(await self._runner.run(SETTLE, lambda _: batch.calls(Settle.words)))
        return [read(answer, lambda _: None) for answer in answers]

    # Reading

    async def after(self, room_id: int, cursor: Cursor, limit: int) -> list[Event]:
        """The oldest `limit` events behind the cursor that the stream still has."""
        return (await self.after_each({room_id: cursor}, limit)).get(room_id, [])

    async def after_each(self, cursors: Mapping[int, Cursor], limit: int) -> dict[int, list[Event]]:
        """The same for many rooms, with one XREAD for each partition. Rooms without news are left out."""
        by_partition: dict[int, dict[bytes, int]] = {}
        for room_id in cursors:
            by_partition.setdefault(room_id % PARTITIONS, {})[log_key(room_id)] = room_id
        found: dict[int, list[Event]] = {}
        with reaching_redis():
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
        """The newest `limit` events in front of the cursor that the stream still has, oldest first."""
        newest = "+" if cursor == END else f"({cursor}"
        with reaching_redis():
            entries: Any = await self._reader.xrevrange(log_key(room_id), max=newest, min="-", count=limit)
        events = [_event(room_id, id, fields) for id, fields in reversed(entries)]
        if events:
            self._see(events[-1])
        return events

    async def find(self, room_id: int, id: Cursor) -> Event | None:
        """The event with this id, if the stream still has it."""
        if id == BEGINNING:
            return None
        with reaching_redis():
            entries: Any = await self._reader.xrange(log_key(room_id), min=str(id), max=str(id))
        return _event(room_id, *entries[0]) if entries else None

    async def tip(self, room_id: int) -> Cursor | None:
        """The last id that the stream gave out (it may be trimmed away since), or None where there is no stream."""
        with reaching_redis():
            try:
                info = await self._reader.xinfo_stream(log_key(room_id))
            except ResponseError:
                return None
        return read_id(info["last-generated-id"])

    async def tips(self, rooms: Sequence[int]) -> dict[int, Cursor]:
        """The same for many rooms, in one round trip. Rooms without a stream are left out."""
        in_order = sorted(rooms, key=lambda room_id: room_id % PARTITIONS)
        asked = [
            some[start : start + TIPS_AT_ONCE]
            for _, each in groupby(in_order, key=lambda room_id: room_id % PARTITIONS)
            for some in [list(each)]
            for start in range(0, len(some), TIPS_AT_ONCE)
        ]
        with reaching_redis():
            pipeline = self._reader.pipeline(transaction=False)
            for some in asked:
                pipeline.eval(TIPS.text, len(some), *map(log_key, some))
            answers = await pipeline.execute()
        tips = chain.from_iterable(answers)
        return {id: read_id(tip) for id, tip in zip(chain.from_iterable(asked), tips, strict=True) if tip is not None}

    async def moment(self) -> Cursor:
        """Where the clock that ids are taken from stands now: Redis's own."""
        with reaching_redis():
            seconds, microseconds = await self._reader.time()
        return Cursor(seconds * 1000 + microseconds // 1000, 0)

    async def ping(self) -> None:
        with reaching_redis():
            await cast("Any", self._reader.ping())

    async def close(self) -> None:
        """Finishes what is being written, then lets go of the connections."""
        await self._appends.join()
        await self._settlings.join()
        await self.settled()
        await self._runner.close()
        await self._reader.aclose(close_connection_pool=True)

    def _see(self, event: Event) -> None:
        """Remembers the room's highest id, so that a log that forgot it is not continued below it."""
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


def _name(event: Event | Draft) -> str:
    return f"{event.user_id}:{event.client_id}"
