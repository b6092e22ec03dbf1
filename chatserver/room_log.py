"""The rooms' logs: a Redis Stream each, whose ids are the order of the room.

Only this file and the scripts it runs say XADD, XREAD or XRANGE. Redis may forget all of it at any moment. What was
acknowledged is in the archive; `append.lua` says how a log that lost its beginning, its end or everything is noticed,
and goes on as a new branch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from cachetools import LRUCache
from redis.asyncio.connection import Connection
from redis.exceptions import NoScriptError, ResponseError

from chatserver.cursor import BEGINNING, END, Cursor
from chatserver.errors import Unavailable
from chatserver.events import Draft, Event, Kind
from chatserver.group_commit import GroupCommit
from chatserver.log_scripts import (
    MAX_PENDING,
    PARTITIONS,
    Append,
    Appended,
    Base,
    Call,
    Outcome,
    Place,
    Script,
    Settle,
    Trim,
    base_key,
    log_key,
    pending_key,
    read_id,
    read_pending,
)
from chatserver.redis_link import connect, reaching_redis, take_connection

READERS = 8
"""Connections for reading. Pages are bounded, so a waiting reader's turn comes soon."""

TRIM_GROWTH = 100
"""Events that a room's log may grow by before it is trimmed."""

TRIM_BATCH = 50
"""Logs that are trimmed in one round trip."""

SEEN_ROOMS = 20_000
"""Rooms whose highest seen id is kept (about 200 bytes each)."""


class RoomLog:
    """The logs of all rooms. Everything raises Unavailable when Redis does not answer."""

    def __init__(self, url: str) -> None:
        self._append_script = Script.load("append.lua")
        self._settle_script = Script.load("settle.lua")
        self._trim_script = Script.load("trim.lua")
        # One connection for what changes the log: everything that is waiting goes out as one pipeline.
        self._writer = connect(url, connections=1, on_connect=self._on_connect)
        self._reader = connect(url, connections=READERS)
        self._appends: GroupCommit[Append, Outcome] = GroupCommit(self._append_all)
        self._settlings: GroupCommit[Settle, None] = GroupCommit(self._settle_all)
        # The highest id of each room that this process has seen, archived or not.
        self._seen: LRUCache[int, Cursor] = LRUCache(SEEN_ROOMS)
        # How many events this process has appended to a room since it last trimmed it.
        self._growth: LRUCache[int, int] = LRUCache(SEEN_ROOMS)
        # The run id of the server that changes are sent to. Another one may have another past.
        self._server = b""

    async def _on_connect(self, connection: Connection) -> None:
        for script in (self._append_script, self._settle_script, self._trim_script):
            await connection.send_command("SCRIPT", "LOAD", script.text)
            await connection.read_response()
        await connection.send_command("INFO", "server")
        self._server = _run_id(await connection.read_response())

    # Writing

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
            self._growth[draft.room_id] = self._growth.get(draft.room_id, 0) + 1
        return outcome

    async def keep(self, event: Event) -> None:
        """The event is archived: takes its pending mark off."""
        await self._settlings.submit(Settle(event.room_id, event.id, _name(event), counts=True))

    async def discard(self, event: Event | Draft, id: Cursor) -> None:
        """The event does not count under this id: takes it out, with its mark."""
        await self._settlings.submit(Settle(event.room_id, id, _name(event), counts=False))

    async def release(self, place: Place) -> None:
        """Takes the mark off an event that is gone."""
        await self._settlings.submit(Settle(*place, name="", counts=True))

    async def wants_base(self, room_id: int, token: bytes) -> bool:
        """Whether the room still has no branch, and waits for the base that was asked for with this token."""
        with reaching_redis():
            return bool(await self._reader.get(base_key(room_id)) == token)

    def seen(self, room_id: int) -> Cursor:
        """The highest id of the room that this process has seen, archived or not."""
        return self._seen.get(room_id, BEGINNING)

    async def pending(self, partition: int) -> list[Place]:
        """The events of a partition that are not archived yet, as far as the log knows."""
        with reaching_redis():
            members: Any = await self._reader.zrange(pending_key(partition), 0, MAX_PENDING)
        return [read_pending(member) for member in members]

    async def trim(self, *, everything: bool = False) -> None:
        """Shortens the logs that grew here, down to what is kept. `everything`: also those that grew by little."""
        rooms = [room_id for room_id, growth in self._growth.items() if everything or growth >= TRIM_GROWTH]
        while rooms:
            unfinished = await self._trim_each(rooms[:TRIM_BATCH])
            rooms = unfinished + rooms[TRIM_BATCH:]

    async def _append_all(self, appends: Sequence[Append]) -> Sequence[Any]:
        def calls() -> list[Call]:
            return [append.call(self.seen(append.draft.room_id), self._server) for append in appends]

        answers = await self._run_all(self._append_script, calls)
        return [_outcome(append.outcome, answer) for append, answer in zip(appends, answers, strict=True)]

    async def _settle_all(self, settlings: Sequence[Settle]) -> Sequence[Any]:
        answers = await self._run_all(self._settle_script, lambda: [settling.call() for settling in settlings])
        return [_outcome(lambda _: None, answer) for answer in answers]

    async def _run_all(self, script: Script, make_calls: Callable[[], Sequence[Call]]) -> list[Any]:
        """Runs a script for each call in one round trip. An error of one call is its own answer.

        The calls are made when the connection stands, so that they know which server is behind it.
        """
        with reaching_redis():
            async with self._writer.pipeline(transaction=False) as pipeline:
                pipeline.connection = await take_connection(self._writer)
                for keys, arguments in make_calls():
                    pipeline.evalsha(script.sha, len(keys), *keys, *arguments)
                answers: list[Any] = await pipeline.execute(raise_on_error=False)
            if any(isinstance(answer, NoScriptError) for answer in answers):
                # Somebody flushed the scripts: the next connection brings them along.
                await self._writer.connection_pool.disconnect()
        return answers

    async def _trim_each(self, rooms: Sequence[int]) -> list[int]:
        """Returns those in which there is more to take out."""
        trims = [Trim(room_id) for room_id in rooms]
        answers = await self._run_all(self._trim_script, lambda: [trim.call() for trim in trims])
        for room_id in rooms:
            self._growth.pop(room_id, None)
        return [
            trim.room_id
            for trim, answer in zip(trims, answers, strict=True)
            if not isinstance(answer, Exception) and trim.outcome(answer)
        ]

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

    async def ping(self) -> None:
        with reaching_redis():
            await cast("Any", self._reader.ping())

    async def close(self) -> None:
        """Finishes what is being written, then lets go of the connections."""
        await self._appends.join()
        await self._settlings.join()
        await self._writer.aclose(close_connection_pool=True)
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


def _run_id(info: bytes) -> bytes:
    """From the answer to INFO: names one run of one server. Empty where a proxy keeps it to itself."""
    lines = dict(line.partition(b":")[::2] for line in info.splitlines())
    return lines.get(b"run_id", b"")


def _outcome(read: Callable[[Any], Any], answer: Any) -> Any:
    """What a script's answer means; for an error, what to raise."""
    if not isinstance(answer, Exception):
        return read(answer)
    unavailable = Unavailable("the log is not available right now, try again", retry_after=2)
    unavailable.__cause__ = answer
    return unavailable
