"""Turns of searches: a bounded number per process at a time, and one per user.

A slow search holds a connection that posts need too. A user's further searches wait in a queue of that user, so they
delay no other user's.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chatserver.errors import Unavailable

SEARCHES_AT_ONCE = 4
"""Searches of one process at the same time."""

MAX_WAITING_SEARCHES = 40
"""Searches of different users that may wait for those."""

MAX_WAITING_OF_ONE = 40
MAX_WAITING_IN_ALL = 400
"""Searches that may wait for an earlier one of the same user: per user, and in all."""

WAIT_SECONDS = 4.0
"""Longest wait of a search in either queue. Past it, or past the limits above, it gets 503."""


class SearchTurns:
    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(SEARCHES_AT_ONCE)
        self._waiting = 0
        self._own: dict[int, asyncio.Lock] = {}
        self._here: Counter[int] = Counter()

    @asynccontextmanager
    async def turn(self, user_id: int) -> AsyncIterator[None]:
        """Waits for the user's turn and holds it inside. Raises Unavailable."""
        if self._here[user_id] > MAX_WAITING_OF_ONE or self._here.total() > MAX_WAITING_IN_ALL:
            raise Unavailable("another search of yours is still going on, try again", retry_after=1)
        own = self._own.setdefault(user_id, asyncio.Lock())
        self._here[user_id] += 1
        try:
            async with asyncio.timeout(WAIT_SECONDS) as patience:
                await own.acquire()
                patience.reschedule(None)
                try:
                    async with self._turn_of_all():
                        yield
                finally:
                    own.release()
        except TimeoutError:
            raise Unavailable("another search of yours is still going on, try again", retry_after=2) from None
        finally:
            self._here[user_id] -= 1
            if not self._here[user_id]:
                del self._here[user_id], self._own[user_id]

    @asynccontextmanager
    async def _turn_of_all(self) -> AsyncIterator[None]:
        if self._waiting >= MAX_WAITING_SEARCHES:
            raise Unavailable("too many people are searching right now, try again", retry_after=2)
        self._waiting += 1
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            raise Unavailable("too many people are searching right now, try again", retry_after=2) from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._turns.release()
