"""Hashing of passwords: expensive on purpose, so bounded, and shared out among addresses.

Argon2id with the parameters that OWASP recommends (19 MiB, two passes, one lane; Password Storage Cheat Sheet). A hash
contains its parameters, so old ones stay good until their owner signs in.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from chatserver.errors import TooMany, Unavailable

MEMORY_KIB, PASSES, LANES = 19_456, 2, 1

THREADS = 2
NICENESS = 10
"""Only of these threads: if there are not enough cores for all, messages go first."""

MAX_QUEUED_HASHES = 100
"""Hashes that may wait for a thread; the next one gets 503 and may try again."""

AT_ONCE_FROM_ONE_PLACE = 1
WAITING_FROM_ONE_PLACE = 50
"""Hashes of one address at a time, and those that may wait there for their turn: an office that begins its day."""

Answer = TypeVar("Answer")


def make_hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, type=Type.ID)


class Hashing:
    """Hashes in threads. `place` is the address that a hash is for. Raises TooMany and Unavailable if too many wait."""

    def __init__(self, hasher: PasswordHasher, *, is_shared_out: bool = True) -> None:
        """`is_shared_out`: bounds the hashes of one place."""
        self._is_shared_out = is_shared_out
        self._hasher = hasher
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2", initializer=_be_nice)
        self._queued = 0
        self._doors: dict[str, _Door] = {}

    async def hash(self, password: str, place: str) -> str:
        return await self._run(place, partial(self._hasher.hash, password))

    async def is_right(self, password_hash: str, password: str, place: str) -> bool:
        return await self._run(place, partial(self._verify, password_hash, password))

    def is_old(self, password_hash: str) -> bool:
        """Returns True for a hash with other parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, place: str, work: Callable[[], Answer]) -> Answer:
        if not self._is_shared_out:
            return await self._queue(work)
        door = self._doors.setdefault(place, _Door())
        if door.inside >= WAITING_FROM_ONE_PLACE:
            text = "many people are signing in from where you are, try again in a moment"
            raise TooMany("passwords at once", text, retry_after=2)
        door.inside += 1
        try:
            async with door.turns:
                return await self._queue(work)
        finally:
            door.inside -= 1
            if not door.inside:
                del self._doors[place]

    async def _queue(self, work: Callable[[], Answer]) -> Answer:
        if self._queued >= MAX_QUEUED_HASHES:
            raise Unavailable("too many people are signing in right now, try again", retry_after=2)
        self._queued += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._queued -= 1


class _Door:
    """The queue of one place. `inside`: waiting hashes and those in progress."""

    def __init__(self) -> None:
        self.turns = asyncio.Semaphore(AT_ONCE_FROM_ONE_PLACE)
        self.inside = 0


def _be_nice() -> None:
    if hasattr(os, "setpriority"):  # Linux has a niceness for each thread
        own = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, own, max(NICENESS, os.getpriority(os.PRIO_PROCESS, own)))
