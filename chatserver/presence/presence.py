"""Presence: the users in each room, by their open streams.

A user's first stream makes them present at once. After the last one closes, some seconds without a new one make them
absent: a reloaded page or a restart is no departure, and no reader is told. Each process notes its users in a shared
register, under a lease: when a process dies, its lease runs out, and another one removes its notes. A process that
stops in order leaves them too: its readers are about to open their streams elsewhere.

Each round of the register costs as much as there are changes, not as there are streams.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
from collections import Counter
from collections.abc import Iterable, Sequence

from chatserver.errors import Unavailable
from chatserver.live.open_streams import OpenStreams
from chatserver.log.keys import PARTITIONS
from chatserver.model.users import User
from chatserver.presence.announcer import Announcer
from chatserver.presence.register import Change, Pair, PresenceRegister
from chatserver.support.background import Background, BackgroundTask

GRACE_SECONDS = 10.0
"""How long a user without a stream still counts as present."""

LEASE_SECONDS = 10.0
RENEWALS = 3
"""Renewals of a lease within its time."""

LEASE_CHECKS = 20
"""Checks for departures within the grace."""

ROOMS_PER_USER = 100
"""Rooms in which one user can be present at a time, as far as a process knows, including those left a moment ago.
Further ones don't show the user: each arrival in a room costs all processes a signal."""

RETRY_SECONDS = (0.1, 0.5)

log = logging.getLogger(__name__)


class Presence:
    """`grace_seconds`: from a user's last stream to their departure; `lease_seconds`: the same as the register's."""

    def __init__(
        self,
        register: PresenceRegister,
        announcer: Announcer,
        open_streams: OpenStreams,
        *,
        grace_seconds: float,
        lease_seconds: float,
    ) -> None:
        self._register = register
        self._announcer = announcer
        self._grace = grace_seconds
        self._renew_every = lease_seconds / (RENEWALS + 0.3)
        self._process = secrets.token_hex(8)
        self._streams: dict[Pair, int] = {}
        # The present users with their names; and when those without a stream become absent, in that order.
        self._here: dict[Pair, str] = {}
        self._leaving: dict[Pair, float] = {}
        self._rooms_of: Counter[int] = Counter()
        # For each partition the notes that the register has of this process, as far as is known; and those in doubt.
        self._written: list[dict[Pair, str]] = [{} for _ in range(PARTITIONS)]
        self._to_resync: set[int] = set()
        self._reset_partitions: set[int] = set()
        self._eras = [b""] * PARTITIONS
        self._changed: dict[Pair, None] = {}
        self._has_changes = asyncio.Event()
        self._renew_at = 0.0
        self._nobody_leaves_until = 0.0
        self._task: BackgroundTask | None = None
        open_streams.on_opened(self._arrive)
        open_streams.on_closed(self._depart)

    def start(self, background: Background) -> None:
        self._task = background.start("presence", self._run)

    async def stop(self) -> None:
        if self._task is not None:
            await self._task.stop()

    async def users(self, room_id: int) -> list[User]:
        """Returns the users in the room, at any process, by name. Raises Unavailable."""
        return await self._register.users(room_id)

    # Changes by streams

    def _arrive(self, user: User, rooms: Sequence[int]) -> None:
        for room_id in rooms:
            pair = Pair(room_id, user.id)
            self._streams[pair] = self._streams.get(pair, 0) + 1
            self._leaving.pop(pair, None)
            if pair not in self._here and self._rooms_of[user.id] < ROOMS_PER_USER:
                self._enter(pair, user.name)
                self._change(pair)

    def _depart(self, user: User, rooms: Sequence[int]) -> None:
        until = asyncio.get_running_loop().time() + self._grace
        for room_id in rooms:
            pair = Pair(room_id, user.id)
            left = self._streams.pop(pair, 0) - 1
            if left > 0:
                self._streams[pair] = left
            elif left == 0 and pair in self._here:
                self._leaving[pair] = until

    def _enter(self, pair: Pair, name: str) -> None:
        self._here[pair] = name
        self._rooms_of[pair.user_id] += 1

    def _let_go(self, now: float) -> None:
        """Removes users whose grace is over."""
        while self._leaving and now >= self._nobody_leaves_until:
            pair, until = next(iter(self._leaving.items()))
            if until > now:
                return
            del self._leaving[pair], self._here[pair]
            self._rooms_of[pair.user_id] -= 1
            if not self._rooms_of[pair.user_id]:
                del self._rooms_of[pair.user_id]
            self._change(pair)

    def _change(self, pair: Pair) -> None:
        if pair.partition not in self._to_resync:  # that partition is resynchronised as a whole
            self._changed[pair] = None
            self._has_changes.set()

    # Changes in the register

    async def _run(self) -> None:
        backoff = RETRY_SECONDS[0]
        while True:
            try:
                await self._step()
                backoff = RETRY_SECONDS[0]
            except Unavailable as error:
                log.warning("presence has to wait: %s", error.__cause__ or error)
                self._renew_at = 0.0
                await asyncio.sleep(random.uniform(0, backoff))
                backoff = min(backoff * 2, RETRY_SECONDS[1])
                continue
            if not self._to_resync:
                await self._rest()

    async def _rest(self) -> None:
        """Sleeps until a user arrives or it is time to check for departures."""
        try:
            async with asyncio.timeout(min(self._grace / LEASE_CHECKS, self._renew_every)):
                await self._has_changes.wait()
        except TimeoutError:
            pass

    async def _step(self) -> None:
        now = asyncio.get_running_loop().time()
        self._let_go(now)
        if now >= self._renew_at:
            await self._renew(now)
        for partition in list(self._to_resync):
            await self._compare(partition)
        await self._note_changes()

    async def _renew(self, now: float) -> None:
        leases = await self._register.renew(self._process)
        self._renew_at = now + self._renew_every * random.uniform(0.9, 1.0)
        for partition, (era, notes, _) in enumerate(leases):
            if self._eras[partition] not in {b"", era}:
                self._resync(partition, now)
            elif notes != len(self._written[partition]):
                self._to_resync.add(partition)
            self._eras[partition] = era
        for partition, (_, _, dead) in enumerate(leases):
            for process in dead:
                await self._sweep(partition, process.decode())

    def _resync(self, partition: int, now: float) -> None:
        """Handles a Redis that lost its data. Readers have not lost theirs: users who were present before are not
        announced. Users who left meanwhile are kept until all processes have rewritten their notes, so that none is
        announced as gone who is present elsewhere."""
        self._to_resync.add(partition)
        self._reset_partitions.add(partition)
        self._nobody_leaves_until = now + 2 * self._renew_every
        for pair, name in self._written[partition].items():
            if pair not in self._here:
                self._enter(pair, name)
                self._leaving[pair] = self._nobody_leaves_until

    async def _sweep(self, partition: int, process: str) -> None:
        more = True
        while more:
            gone, more = await self._register.sweep(partition, process, self._eras)
            for pair, name in gone.items():
                self._announcer.tell(pair, name, here=False)

    async def _compare(self, partition: int) -> None:
        """Makes the register match the users present here, whatever it has."""
        there = await self._register.notes(partition, self._process)
        here = {pair for pair in self._here if pair.partition == partition}
        noted = self._written[partition] = {pair: name for pair, name in there.items() if pair not in here} | {
            # If Redis lost nothing, other processes took this one for dead and announced its users as gone.
            pair: name
            for pair, name in self._written[partition].items()
            if pair in there or pair not in here or partition in self._reset_partitions
        }
        self._to_resync.discard(partition)
        await self._note(here.symmetric_difference(there) | here.symmetric_difference(noted))
        self._reset_partitions.discard(partition)

    async def _note_changes(self) -> None:
        changed, self._changed = self._changed, {}
        self._has_changes.clear()
        await self._note([pair for pair in changed if (pair in self._here) != (pair in self._written[pair.partition])])

    async def _note(self, pairs: Iterable[Pair]) -> None:
        noted = self._written
        changes = [Change(pair, self._here.get(pair), known=pair in noted[pair.partition]) for pair in pairs]
        try:
            news = await self._register.note(self._process, changes, self._eras)
        except Unavailable:
            self._to_resync.update(change.pair.partition for change in changes)
            raise
        for pair, name, _ in news:
            self._announcer.tell(pair, name or noted[pair.partition][pair], here=name is not None)
        for pair, name, _ in changes:
            if name is None:
                noted[pair.partition].pop(pair, None)
            else:
                noted[pair.partition][pair] = name
