"""Where quotas are counted: in Redis for all processes together, in this one's memory while Redis does not answer.

The strategy is the sliding window counter of `limits`: two numbers for each key, the window before weighted by how much
of it is still inside. In Redis that is one script, by Redis's own clock, and both keys expire by themselves.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from cachetools import LRUCache
from limits.aio.storage import RedisStorage

from chatserver.errors import Unavailable
from chatserver.quotas.quotas import Quota
from chatserver.support.redis_client import connect, redis_errors_as_unavailable

CONNECTIONS = 4

ANSWER_SECONDS = 1.0
"""How long a count may take; then it is made in memory."""

AWAY_SECONDS = 5.0
"""How long Redis is not asked again after it did not answer."""

PREFIX = "harbour:quota"

COUNTER_CACHE_SIZE = 20_000
"""Keys that are counted in memory at a time; the one that was longest not asked for is forgotten first."""

Answer = TypeVar("Answer")

log = logging.getLogger(__name__)


class Store(Protocol):
    """What `limits` calls the support of a sliding window counter. `expiry`: seconds of the window."""

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool: ...

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """What was counted in the window before, and the seconds for which that still weighs; what was counted in this
        one, and the seconds until that does not weigh any more."""

    async def clear_sliding_window(self, key: str, expiry: int) -> None: ...


class Counters:
    """Nothing here raises: who can't be counted in Redis is counted in memory."""

    def __init__(self, redis_url: str) -> None:
        self._client = connect(redis_url, connections=CONNECTIONS, answer_seconds=ANSWER_SECONDS)
        pool: Any = self._client.connection_pool
        self._shared = RedisStorage("async+redis://", implementation="redispy", key_prefix=PREFIX, connection_pool=pool)
        self._own = MemoryStore()
        self._away_until = 0.0

    async def close(self) -> None:
        await self._client.aclose(close_connection_pool=True)

    async def take(self, quota: Quota, key: str, amount: int) -> bool:
        """Counts `amount`, if that is within the quota. Otherwise counts nothing and returns False."""
        name = _key(quota, key)
        return await self._count(
            lambda store: store.acquire_sliding_window_entry(name, quota.burst, quota.seconds, amount)
        )

    async def seconds_until_free(self, quota: Quota, key: str, amount: int) -> float:
        """In how many seconds `amount` can be taken, if nobody takes any meanwhile; 0: now."""
        name = _key(quota, key)
        return _seconds_until_free(
            quota, amount, *await self._count(lambda store: store.get_sliding_window(name, quota.seconds))
        )

    async def forget(self, quota: Quota, key: str) -> None:
        """As if nothing had been counted under this key."""
        name = _key(quota, key)
        await self._count(lambda store: store.clear_sliding_window(name, quota.seconds))

    async def _count(self, work: Callable[[Store], Awaitable[Answer]]) -> Answer:
        if time.monotonic() >= self._away_until:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    with redis_errors_as_unavailable():
                        return await work(self._shared)
            except (Unavailable, TimeoutError) as error:
                self._note_away(error)
        return await work(self._own)

    def _note_away(self, error: Exception) -> None:
        now = time.monotonic()
        if now >= self._away_until:  # the first of many that waited at the same moment
            log.warning("quotas are counted by each process for itself: %s", error.__cause__ or error)
        self._away_until = now + AWAY_SECONDS


class MemoryStore:
    """The same in this process, by windows of the monotonic clock, with a bound on its keys."""

    def __init__(self) -> None:
        self._windows: LRUCache[str, tuple[int, int, int]] = LRUCache(COUNTER_CACHE_SIZE)
        """Of each key: the number of the window, what was counted in it, and in the one before."""

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        number, current, previous, share = self._read(key, expiry)
        if int(previous * share) + current + amount > limit:
            return False
        self._windows[key] = number, current + amount, previous
        return True

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        _, current, previous, share = self._read(key, expiry)
        return previous, share * expiry, current, (1 + share) * expiry

    async def clear_sliding_window(self, key: str, expiry: int) -> None:
        self._windows.pop(key, None)

    def _read(self, key: str, expiry: int) -> tuple[int, int, int, float]:
        """The number of the window, what was counted in it and in the one before, and how much is left of it."""
        passed, share = divmod(time.monotonic() / expiry, 1)
        number = int(passed)
        known, current, previous = self._windows.get(key, (number, 0, 0))
        if known == number - 1:
            current, previous = 0, current
        elif known != number:
            current, previous = 0, 0
        return number, current, previous, 1 - share


def _key(quota: Quota, key: str) -> str:
    """With the numbers in it: those of an older table count something else."""
    return f"{quota.verb.replace(' ', '-')}/{quota.burst}/{quota.seconds}/{key}"


def _seconds_until_free(
    quota: Quota, amount: int, previous: int, previous_left: float, current: int, current_left: float
) -> float:
    """What was counted before weighs `previous * previous_left / seconds`, and less with every moment."""
    room = quota.burst - current - amount
    if room >= 0:
        return max(0.0, previous_left - (room + 1) * quota.seconds / previous) if previous else 0.0
    # This window has to end first, and then weigh less itself.
    to_its_end = max(0.0, current_left - quota.seconds)
    return to_its_end + max(0.0, quota.seconds * (1 - (quota.burst - amount + 1) / current))
