"""The rooms' logs: a Redis Stream each, whose ids are the order of the room.

This is the only file that says XADD, XREAD or XRANGE. The keys of a room share one hash slot (its partition's), so the
same scripts run on one Redis and on a cluster's node:

    {chat3}:room:42:log            the stream: fields kind, user, client, prev, payload
    {chat3}:room:42:client:7:x     the id that client id x of user 7 was given; settles repeats that are in flight
    {chat3}:room:42:floor          token of a look-up of the room's floor
    {chat3}:room:42:news           channel of the wake-ups: a hint, may be lost
    {chat3}:pending                what is in a log of this partition and not archived yet

Redis may forget all of it at any moment. What was acknowledged is in the archive; see `append.lua` for how a log that
lost its beginning, its end or everything goes on without issuing an id twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import msgspec
from redis.asyncio.connection import Connection
from redis.exceptions import NoScriptError

from chatserver.cursor import BEGINNING, END, Cursor
from chatserver.errors import Unavailable
from chatserver.events import Draft, Event, Kind
from chatserver.group_commit import GroupCommit
from chatserver.redis_link import connect, reaching_redis, take_connection

PARTITIONS = 16
"""Hash slots that the rooms are spread over. Fixed for the life of the data in Redis, which may be thrown away."""

REMEMBER_MS = 15 * 60_000
"""How long Redis settles repeats of a client id. The archive does so for ever; this bridges what is in flight."""

READERS = 8
"""Connections for reading. Pages are bounded, so a waiting reader's turn comes soon."""


class Appended(NamedTuple):
    """The event as it stands in the log. `repeated`: it stood there before this call."""

    event: Event
    repeated: bool


class SeenBefore(NamedTuple):
    """The client id was given this id, but the entry has left the stream: trimmed if archived, else lost."""

    id: Cursor


class FloorWanted(NamedTuple):
    """The stream is missing. Look up the room's highest archived id and append again with it and this token."""

    token: bytes


class Lost(NamedTuple):
    """The entry of an archived event is gone from the stream. `following`: the (id, prev) of the entry that comes next
    there, or None where that is gone too."""

    following: tuple[Cursor, Cursor] | None


_Call = tuple[Sequence[Any], Sequence[Any]]
"""The keys and the arguments of one run of a script."""


class _Append(NamedTuple):
    draft: Draft
    floor: Cursor
    generation: int
    token: bytes
    lost: Cursor | None


class _Confirm(NamedTuple):
    room_id: int
    id: Cursor


class _Script(NamedTuple):
    text: str
    sha: str

    @classmethod
    def load(cls, name: str) -> _Script:
        text = Path(__file__).with_name(name).read_text(encoding="utf-8")
        return cls(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


class RoomLog:
    """The logs of all rooms. Everything raises Unavailable when Redis does not answer."""

    def __init__(self, url: str) -> None:
        self._append_script = _Script.load("append.lua")
        self._confirm_script = _Script.load("confirm.lua")
        # One connection for what changes the log: everything that is waiting goes out as one pipeline.
        self._writer = connect(url, connections=1, on_connect=self._on_connect)
        self._reader = connect(url, connections=READERS)
        self._appends: GroupCommit[_Append, Appended | SeenBefore | FloorWanted] = GroupCommit(self._append_all)
        self._confirms: GroupCommit[_Confirm, Lost | None] = GroupCommit(self._confirm_all)
        self.generation = 0
        """Counts the connections made for writing. What was learnt about a log holds for one generation: behind the
        next may stand another server, restarted empty or promoted without the tail."""

    async def _on_connect(self, connection: Connection) -> None:
        for script in (self._append_script, self._confirm_script):
            await connection.send_command("SCRIPT", "LOAD", script.text)
            await connection.read_response()
        self.generation += 1

    # Writing

    async def append(
        self, draft: Draft, floor: Cursor, generation: int, *, token: bytes = b"", lost: Cursor | None = None
    ) -> Appended | SeenBefore | FloorWanted:
        """Puts an event at the end of its room's log, unless its client id is there already.

        `floor`: the room's highest archived id, looked up under this `generation`. The new id is above it.
        `token`: from an earlier FloorWanted, if the floor was looked up after that.
        `lost`: an id under which this client id is remembered, known to be neither in the log nor archived.
        """
        return await self._appends.submit(_Append(draft, floor, generation, token, lost))

    async def confirm(self, event: Event) -> Lost | None:
        """The event is archived: takes its pending mark off. None is well: the log has it, or goes on from it."""
        return await self._confirms.submit(_Confirm(event.room_id, event.id))

    async def _append_all(self, appends: Sequence[_Append]) -> Sequence[Any]:
        def calls() -> list[_Call | None]:
            # A floor of an earlier generation says nothing about the server behind this connection.
            return [_append_call(append) if append.generation == self.generation else None for append in appends]

        answers = await self._run_all(self._append_script, calls)
        return [_append_answer(append.draft, answer) for append, answer in zip(appends, answers, strict=True)]

    async def _confirm_all(self, confirms: Sequence[_Confirm]) -> Sequence[Lost | Exception | None]:
        answers = await self._run_all(self._confirm_script, lambda: [_confirm_call(*confirm) for confirm in confirms])
        return [_confirm_answer(answer) for answer in answers]

    async def _run_all(self, script: _Script, make_calls: Callable[[], Sequence[_Call | None]]) -> list[Any]:
        """Runs a script for each call in one round trip; None is left out. An error of one call is its own answer.

        The calls are made when the connection stands, so that they know its generation.
        """
        with reaching_redis():
            async with self._writer.pipeline(transaction=False) as pipeline:
                pipeline.connection = await take_connection(self._writer)
                calls = make_calls()
                for keys, arguments in filter(None, calls):
                    pipeline.evalsha(script.sha, len(keys), *keys, *arguments)
                answers = iter(await pipeline.execute(raise_on_error=False))
            in_order = [None if call is None else next(answers) for call in calls]
            if any(isinstance(answer, NoScriptError) for answer in in_order):
                # Somebody flushed the scripts: the next connection brings them along.
                await self._writer.connection_pool.disconnect()
        return in_order

    # Reading

    async def after(self, room_id: int, cursor: Cursor, limit: int) -> list[Event]:
        """The oldest `limit` events behind the cursor that the stream still has."""
        return (await self.after_each({room_id: cursor}, limit)).get(room_id, [])

    async def after_each(self, cursors: Mapping[int, Cursor], limit: int) -> dict[int, list[Event]]:
        """The same for many rooms, with one XREAD for each partition. Rooms without news are left out."""
        by_partition: dict[int, dict[bytes, int]] = {}
        for room_id in cursors:
            by_partition.setdefault(room_id % PARTITIONS, {})[_log_key(room_id)] = room_id
        found: dict[int, list[Event]] = {}
        with reaching_redis():
            pipeline = self._reader.pipeline(transaction=False)
            for rooms in by_partition.values():
                pipeline.xread({key: str(cursors[room_id]) for key, room_id in rooms.items()}, count=limit)
            for rooms, answer in zip(by_partition.values(), await pipeline.execute(), strict=True):
                for key, entries in answer or ():
                    found[rooms[key]] = [_event(rooms[key], id, fields) for id, fields in entries]
        return found

    async def before(self, room_id: int, cursor: Cursor, limit: int) -> list[Event]:
        """The newest `limit` events in front of the cursor that the stream still has, oldest first."""
        newest = "+" if cursor == END else f"({cursor}"
        with reaching_redis():
            entries: Any = await self._reader.xrevrange(_log_key(room_id), max=newest, min="-", count=limit)
        return [_event(room_id, id, fields) for id, fields in reversed(entries)]

    async def find(self, room_id: int, id: Cursor) -> Event | None:
        """The event with this id, if the stream still has it."""
        if id == BEGINNING:
            return None
        with reaching_redis():
            entries: Any = await self._reader.xrange(_log_key(room_id), min=str(id), max=str(id))
        return _event(room_id, *entries[0]) if entries else None

    async def tip(self, room_id: int) -> Cursor | None:
        """The last id that the stream gave out (it may be trimmed away since), or None where there is no stream."""
        with reaching_redis():
            # EXISTS first: XINFO of a missing key is an error like any other.
            if not await self._reader.exists(_log_key(room_id)):
                return None
            info = await self._reader.xinfo_stream(_log_key(room_id))
        return _cursor(info["last-generated-id"])

    async def ping(self) -> None:
        with reaching_redis():
            await cast("Any", self._reader.ping())

    async def close(self) -> None:
        """Finishes what is being written, then lets go of the connections."""
        await self._appends.join()
        await self._confirms.join()
        await self._writer.aclose(close_connection_pool=True)
        await self._reader.aclose(close_connection_pool=True)


def news_channel(room_id: int) -> str:
    """Where `append` says that a room has news."""
    return f"{_prefix(room_id)}:news"


def _prefix(room_id: int) -> str:
    return f"{{chat{room_id % PARTITIONS}}}:room:{room_id}"


def _log_key(room_id: int) -> bytes:
    return f"{_prefix(room_id)}:log".encode()


def _floor_key(room_id: int) -> str:
    return f"{_prefix(room_id)}:floor"


def _pending_key(room_id: int) -> str:
    return f"{{chat{room_id % PARTITIONS}}}:pending"


def _append_call(append: _Append) -> _Call:
    draft, floor, _, token, lost = append
    keys = (
        _log_key(draft.room_id),
        f"{_prefix(draft.room_id)}:client:{draft.user_id}:{draft.client_id}",
        _pending_key(draft.room_id),
        _floor_key(draft.room_id),
    )
    arguments = (
        draft.room_id,
        draft.kind,
        draft.user_id,
        draft.client_id,
        draft.payload,
        str(floor),
        token,
        "" if lost is None else str(lost),
        REMEMBER_MS,
        news_channel(draft.room_id),
    )
    return keys, arguments


def _append_answer(draft: Draft, answer: Any) -> Appended | SeenBefore | FloorWanted | Unavailable:
    match answer:
        case None:
            return FloorWanted(b"")
        case [b"new", id, prev]:
            return Appended(_placed(draft, _cursor(id), _cursor(prev)), repeated=False)
        case [b"seen", id, prev, kind, payload]:
            first = msgspec.structs.replace(draft, kind=cast("Kind", kind.decode()), payload=payload)
            return Appended(_placed(first, _cursor(id), _cursor(prev)), repeated=True)
        case [b"seen", id]:
            return SeenBefore(_cursor(id))
        case [b"floor", token]:
            return FloorWanted(token)
        case Exception():
            return _as_unavailable(answer)
    raise TypeError(f"append.lua answered {answer!r}")


def _confirm_call(room_id: int, id: Cursor) -> _Call:
    return (_log_key(room_id), _pending_key(room_id), _floor_key(room_id)), (room_id, str(id))


def _confirm_answer(answer: Any) -> Lost | Unavailable | None:
    match answer:
        case [b"kept"]:
            return None
        case [b"lost", id, prev]:
            return Lost((_cursor(id), _cursor(prev)))
        case [b"lost"]:
            return Lost(None)
        case Exception():
            return _as_unavailable(answer)
    raise TypeError(f"confirm.lua answered {answer!r}")


def _placed(draft: Draft, id: Cursor, prev: Cursor) -> Event:
    return Event(draft.room_id, id, prev, draft.kind, draft.user_id, draft.client_id, draft.payload)


def _event(room_id: int, id: bytes, fields: Mapping[bytes, bytes]) -> Event:
    return Event(
        room_id=room_id,
        id=_cursor(id),
        prev=_cursor(fields[b"prev"]),
        kind=cast("Kind", fields[b"kind"].decode()),
        user_id=int(fields[b"user"]),
        client_id=fields[b"client"].decode(),
        payload=fields[b"payload"],
    )


def _cursor(id: bytes) -> Cursor:
    ms, _, seq = id.partition(b"-")
    return Cursor(int(ms), int(seq))


def _as_unavailable(error: Exception) -> Unavailable:
    unavailable = Unavailable("the log is not available right now, try again", retry_after=2)
    unavailable.__cause__ = error
    return unavailable
