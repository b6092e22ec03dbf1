"""The register of presence, in Redis. The keys of a room share the slot of its partition, as those of its log do:

    {chat3}:present:processes        the processes, by the end of their lease
    {chat3}:present:state            the time of the last renewal by any, and the era since Redis lost data
    {chat3}:present:by:<process>     a process's notes in this partition
    {chat3}:room:42:present          the users in a room, by process

Redis may lose all of it: then the processes write it again. `presence.lua` and `presence_lease.lua` have the details.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import Any, NamedTuple

import msgspec

from chatserver.errors import Unavailable
from chatserver.log.keys import PARTITIONS
from chatserver.model.display_names import name_key
from chatserver.model.users import User
from chatserver.support.group_commit import GroupCommit
from chatserver.support.redis_client import connect, redis_errors_as_unavailable
from chatserver.support.redis_scripts import Call, Script, ScriptRunner, parse_answer

CHANGES_PER_RUN = 500
"""Changes in one run of the script: few, since Redis does nothing else meanwhile."""

NOTE, RENEW = Script.load(__file__, "presence.lua"), Script.load(__file__, "presence_lease.lua")


class Pair(NamedTuple):
    """A user in a room."""

    room_id: int
    user_id: int

    @property
    def partition(self) -> int:
        return self.room_id % PARTITIONS


class Change(NamedTuple):
    """`name`: of a user who arrived, None for a departure. `known`: readers already know that this user is here."""

    pair: Pair
    name: str | None
    known: bool


class Lease(NamedTuple):
    """The answer to the renewal of a process's lease in a partition."""

    era: bytes
    notes: int
    dead: list[bytes]


class PresenceRegister:
    """Everything raises Unavailable when Redis does not answer."""

    def __init__(self, url: str, lease_seconds: float) -> None:
        self._lease_ms = round(lease_seconds * 1000)
        self._runner = ScriptRunner(url, (NOTE, RENEW))
        self._reader = connect(url, connections=2)
        # Requests made while a room is being read share the next reading: it has all news from before it.
        self._readings: GroupCommit[int, list[User]] = GroupCommit(self._read_all)

    async def close(self) -> None:
        await self._readings.join()
        await self._runner.close()
        await self._reader.aclose(close_connection_pool=True)

    async def renew(self, process: str) -> list[Lease]:
        """Renews the process's leases. Returns the answer of each partition. Raises Unavailable."""

        def calls(server: bytes) -> list[Call]:
            arguments = process, self._lease_ms, server
            return [((_processes(each), _state(each), _notes(each, process)), arguments) for each in range(PARTITIONS)]

        return _all(await self._runner.run(RENEW, calls), lambda answer: Lease(*answer))

    async def note(self, process: str, changes: Sequence[Change], eras: Sequence[bytes]) -> list[Change]:
        """Writes changes, all in one round trip. Returns those that are news to readers.

        `eras`: of each partition, from the last renewal. Raises Unavailable if another one has begun since.
        """
        by_partition: dict[int, list[Change]] = {}
        for change in changes:
            by_partition.setdefault(change.pair.partition, []).append(change)
        runs = [
            some[at : at + CHANGES_PER_RUN]
            for some in by_partition.values()
            for at in range(0, len(some), CHANGES_PER_RUN)
        ]
        answers = await self._note(process, runs, eras, "") if runs else []
        if not all(answers):
            raise Unavailable(because="what was noted is forgotten")
        return [change for some, answer in zip(runs, answers, strict=True) for change in compress(some, answer)]

    async def _note(
        self, process: str, runs: Sequence[Sequence[Change]], eras: Sequence[bytes], mode: str
    ) -> list[list[int]]:
        def call(some: Sequence[Change], server: bytes) -> Call:
            words = msgspec.msgpack.encode(list(map(_words, some)))
            return _keys(process, some), (process, words, eras[some[0].pair.partition], server, mode)

        def calls(server: bytes) -> list[Call]:
            return [call(some, server) for some in runs]

        return _all(await self._runner.run(NOTE, calls), list)

    async def notes(self, partition: int, process: str, limit: int | None = None) -> dict[Pair, str]:
        """Returns the process's notes in the partition, with the users' names; or any `limit` of them."""
        key = _notes(partition, process)
        reader: Any = self._reader
        with redis_errors_as_unavailable():
            if limit is None:
                found = await reader.hgetall(key)
            else:
                flat = await reader.hrandfield(key, limit, withvalues=True)
                found = dict(zip(flat[::2], flat[1::2], strict=True))
        return {Pair(*map(int, field.split(b":"))): name.decode() for field, name in found.items()}

    async def sweep(self, partition: int, process: str, eras: Sequence[bytes]) -> tuple[dict[Pair, str], bool]:
        """Removes some of a dead process's notes. Returns the users to announce as gone, with names, and True if more
        notes are left."""
        notes = await self.notes(partition, process, CHANGES_PER_RUN)
        changes = [Change(pair, None, known=False) for pair in notes] or [_nobody(partition)]
        (answer,) = await self._note(process, [changes], eras, "sweep")
        gone = {change.pair: notes[change.pair] for change in compress(changes, answer)}
        return gone, len(notes) == CHANGES_PER_RUN and bool(answer)

    async def users(self, room_id: int) -> list[User]:
        """Returns the users in the room, by name, from processes with a valid lease."""
        return await self._readings.submit(room_id)

    async def _read_all(self, rooms: Sequence[int]) -> list[list[User]]:
        asked = list(dict.fromkeys(rooms))
        with redis_errors_as_unavailable():
            pipeline = self._reader.pipeline(transaction=False)
            pipeline.time()
            for room_id in asked:
                pipeline.zrange(_processes(room_id % PARTITIONS), 0, -1, withscores=True)
                pipeline.hget(_state(room_id % PARTITIONS), "renewed")
                pipeline.hgetall(_users(room_id))
            (seconds, micros), *answers = await pipeline.execute()
        now = seconds * 1000 + micros // 1000
        found = {
            room_id: self._present(now, *answers[3 * index : 3 * index + 3]) for index, room_id in enumerate(asked)
        }
        return [found[room_id] for room_id in rooms]

    def _present(
        self, now: int, leases: list[tuple[bytes, float]], renewed: bytes | None, notes: dict[bytes, bytes]
    ) -> list[User]:
        # The same exception as for dead processes: if no lease was renewed, Redis was away, not all the processes.
        redis_was_away = renewed is not None and now - int(renewed) > self._lease_ms / 2
        living = {process for process, until in leases if until > now or redis_was_away}
        users = {}
        for field, name in notes.items():
            user_id, _, process = field.partition(b":")
            if process in living:
                users[int(user_id)] = User(int(user_id), name.decode())
        return sorted(users.values(), key=lambda user: (name_key(user.name), user.id))


def _all(answers: Sequence[Any], outcome: Any) -> list[Any]:
    outcomes = [parse_answer(answer, outcome) for answer in answers]
    for each in outcomes:
        if isinstance(each, Exception):
            raise each
    return outcomes


def _words(change: Change) -> dict[str, Any]:
    return {
        "room": str(change.pair.room_id),
        "user": str(change.pair.user_id),
        "name": change.name or "",
        "known": change.known,
    }


def _nobody(partition: int) -> Change:
    """Stands in for the notes of a process that has none: only its lease is removed."""
    return Change(Pair(partition, 0), None, known=False)


def _keys(process: str, changes: Sequence[Change]) -> list[str]:
    partition = changes[0].pair.partition
    users = [_users(change.pair.room_id) for change in changes]
    return [_processes(partition), _state(partition), _notes(partition, process), *users]


def _processes(partition: int) -> str:
    return f"{{chat{partition}}}:present:processes"


def _state(partition: int) -> str:
    return f"{{chat{partition}}}:present:state"


def _notes(partition: int, process: str) -> str:
    return f"{{chat{partition}}}:present:by:{process}"


def _users(room_id: int) -> str:
    return f"{{chat{room_id % PARTITIONS}}}:room:{room_id}:present"
