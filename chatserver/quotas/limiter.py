"""The limiter: enforces the quotas.

To ask Redis about every message would be a tenth of what a message costs. So a process takes a *lease*: some of a
user's quota at once, counted for all, and spends it here without asking. It never spends more than it took, so the
bound over all processes is exact. A lease is as large as the user's recent use here, or a hundredth of the quota:
spreading requests over many processes wastes at most about half of it.
"""

from __future__ import annotations

import asyncio
import math
import time

from cachetools import LRUCache

from chatserver.errors import TooMany
from chatserver.quotas.counters import Counters
from chatserver.quotas.quotas import Quota

LIMITED_CACHE_SIZE = 20_000
"""Leases kept at a time; the least recently used one is dropped first."""

MARGIN_SECONDS = 0.005
"""Redis counts in whole milliseconds: a wait rounded up by this much is certainly long enough."""

HELD_SHARE_SECONDS = 0.01
LONGEST_HELD_SECONDS = 5.0
"""Delay of a refusal for each other waiting refusal of the same quota and key, and the longest delay. A single one is
sent at once; a program that repeats on fifty connections without a pause gets some hundred refusals a second, not a
thousand."""


class Lease:
    """The part of a quota that one process may spend for one key before it has to ask. `until`, `refused_until`: by the
    monotonic clock."""

    __slots__ = ("held", "left", "lock", "refused_until", "size", "until", "waiting")

    def __init__(self) -> None:
        self.left = 0
        self.size = 0
        self.until = 0.0
        self.refused_until = 0.0
        self.waiting = 0
        self.held = 0
        self.lock = asyncio.Lock()

    def spend(self, cost: int, now: float) -> bool:
        if self.left < cost or now >= self.until:
            return False
        self.left -= cost
        return True

    def next_size(self, now: float) -> int:
        """Returns twice the size before if that was not enough, or the part that was used if it expired."""
        return self.size * 2 if now < self.until else self.size - self.left


class Limiter:
    """`counters` None: no limits."""

    def __init__(self, counters: Counters | None) -> None:
        self._counters = counters
        self._leases: LRUCache[tuple[str, str], Lease] = LRUCache(LIMITED_CACHE_SIZE)

    @property
    def is_on(self) -> bool:
        return self._counters is not None

    async def spend(self, quota: Quota, key: str, cost: int = 1) -> None:
        """Spends `cost` of the quota. Raises TooMany if it is used up, and takes nothing then."""
        if self._counters is None:
            return
        lease = self._lease(quota, key)
        if not lease.spend(cost, time.monotonic()):
            await self._spend_of_new(self._counters, quota, key, lease, cost)

    async def check(self, quota: Quota, key: str) -> None:
        """Raises TooMany if the quota is used up. Takes nothing."""
        if self._counters is None:
            return
        lease = self._lease(quota, key)
        if time.monotonic() >= lease.refused_until:
            self._refuse_until(lease, await self._counters.seconds_until_free(quota, key, 1))
        if time.monotonic() < lease.refused_until:
            raise await self._refusal(quota, lease)

    async def is_used_up(self, quota: Quota, key: str) -> bool:
        return self._counters is not None and await self._counters.seconds_until_free(quota, key, 1) > 0

    async def count(self, quota: Quota, key: str) -> None:
        """Takes one if one is left."""
        if self._counters is not None:
            await self._counters.take(quota, key, 1)

    async def forget(self, quota: Quota, key: str) -> None:
        """Resets the quota of this key."""
        if self._counters is not None:
            self._leases.pop((quota.verb, key), None)
            await self._counters.forget(quota, key)

    def _lease(self, quota: Quota, key: str) -> Lease:
        name = quota.verb, key
        lease = self._leases.get(name)
        if lease is None:
            lease = self._leases[name] = Lease()
        return lease

    async def _spend_of_new(self, counters: Counters, quota: Quota, key: str, lease: Lease, cost: int) -> None:
        lease.waiting += cost
        try:
            async with lease.lock:  # requests that arrive meanwhile use the same new lease
                now = time.monotonic()
                if lease.spend(cost, now):
                    return
                if now >= lease.refused_until:
                    fitting = max(quota.smallest_lease, lease.waiting, lease.next_size(now))
                    wanted = max(cost, min(quota.lease, fitting))
                    for size in {wanted: None, cost: None}:  # in this order
                        if await counters.take(quota, key, size):
                            lease.left, lease.size, lease.until = size - cost, size, now + quota.lease_seconds
                            return
                    self._refuse_until(lease, await counters.seconds_until_free(quota, key, cost))
        finally:
            lease.waiting -= cost
        raise await self._refusal(quota, lease)

    def _refuse_until(self, lease: Lease, seconds: float) -> None:
        if seconds > 0:
            lease.refused_until = time.monotonic() + seconds + MARGIN_SECONDS

    async def _refusal(self, quota: Quota, lease: Lease) -> TooMany:
        """Returns the error to raise, once its delay is over."""
        seconds = lease.refused_until - time.monotonic()
        lease.held += 1
        try:
            await asyncio.sleep(min(LONGEST_HELD_SECONDS, (lease.held - 1) * HELD_SHARE_SECONDS))
        finally:
            lease.held -= 1
        return TooMany(quota.verb, quota.text, retry_after=max(1, math.ceil(seconds)))
