"""Counters of the quotas: in Redis for all processes together, in memory while Redis does not answer.

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
"""Time limit of a count in Redis; after it, the count is made in memory."""

AWAY_SECONDS = 5.0
"""Pause before Redis is asked again after it did not answer."""

PREFIX = "harbour:quota"

COUNTER_CACHE_SIZE = 20_000
"""Keys that are counted in memory at a time; the least recently used one is dropped first."""

Answer = TypeVar("Answer")

log = logging.getLogger(__name__)


class Store(Protocol):
    """The sliding window counter as `limits` expects it of a storage. `expiry`: seconds of the window."""

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool: ...

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """Returns the count of the previous window and the seconds for which it still weighs, then the count of the
        current window and the seconds until it no longer weighs."""

    async def clear_sliding_window(self, key: str, expiry: int) -> None: ...


class Counters:
    """Counts in Redis, or in memory while Redis is away. Nothing here raises."""

    def __init__(self, redis_url: str) -> None:
        self._client = connect(redis_url, connections=CONNECTIONS, answer_seconds=ANSWER_SECONDS)
        pool: Any = self._client.connection_pool
        self._shared = RedisStorage("async+redis://", implementation="redispy", key_prefix=PREFIX, connection_pool=pool)
        self._own = MemoryStore()
        self._away_until = 0.0

    async def close(self) -> None:
        await self._client.aclose(close_connection_pool=True)

    async def take(self, quota: Quota, key: str, amount: int) -> bool:
        """Counts `amount` if that is within the quota. Otherwise counts nothing and returns False."""
        name = _key(quota, key)
        return await self._count(
            lambda store: store.acquire_sliding_window_entry(name, quota.burst, quota.seconds, amount)
        )

    async def seconds_until_free(self, quota: Quota, key: str, amount: int) -> float:
        """Returns the seconds until `amount` can be taken if none is taken meanwhile; 0: now."""
        name = _key(quota, key)
        return _seconds_until_free(
            quota, amount, *await self._count(lambda store: store.get_sliding_window(name, quota.seconds))
        )

    async def forget(self, quota: Quota, key: str) -> None:
        """Resets the count of this key."""
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
        if now >= self._away_until:  # the first of several requests that waited together
            log.warning("quotas are counted by each process for itself: %s", error.__cause__ or error)
        self._away_until = now + AWAY_SECONDS


class MemoryStore:
    """The same counter in this process: windows of the monotonic clock, and a bound on the keys."""

    def __init__(self) -> None:
        self._windows: LRUCache[str, tuple[int, int, int]] = LRUCache(COUNTER_CACHE_SIZE)
        """For each key: the number of the window, its count, and the count of the window before."""

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
        """Returns the number of the window, its count, the count of the one before, and the share of it that is
        left."""
        passed, share = divmod(time.monotonic() / expiry, 1)
        number = int(passed)
        known, current, previous = self._windows.get(key, (number, 0, 0))
        if known == number - 1:
            current, previous = 0, current
        elif known != number:
            current, previous = 0, 0
        return number, current, previous, 1 - share


def _key(quota: Quota, key: str) -> str:
    """Returns the key with the quota's numbers in it: counts made under older numbers don't apply."""
    return f"{quota.verb.replace(' ', '-')}/{quota.burst}/{quota.seconds}/{key}"


def _seconds_until_free(
    quota: Quota, amount: int, previous: int, previous_left: float, current: int, current_left: float
) -> float:
    """Computes the wait. The previous window weighs `previous * previous_left / seconds`, less with every moment."""
    room = quota.burst - current - amount
    if room >= 0:
        return max(0.0, previous_left - (room + 1) * quota.seconds / previous) if previous else 0.0
    # This window has to end first, and then weigh less itself.
    to_its_end = max(0.0, current_left - quota.seconds)
    return to_its_end + max(0.0, quota.seconds * (1 - (quota.burst - amount + 1) / current))
