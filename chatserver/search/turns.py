"""Whose search is next: so many of one process at the same time, and one of each user.

A slow search holds one of the connections that posts need too. Who has one going waits for its end, in a line of their
own, so nobody is kept from searching by what somebody else asks.
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
"""Searches of different users that may wait for that."""

MAX_WAITING_OF_ONE = 40
MAX_WAITING_IN_ALL = 400
"""Searches that may wait for another one of the same user."""

WAIT_SECONDS = 4.0
"""How long a search waits in either line. Past it, or past the numbers above, it is told to come again."""


class SearchTurns:
    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(SEARCHES_AT_ONCE)
        self._waiting = 0
        self._own: dict[int, asyncio.Lock] = {}
        self._here: Counter[int] = Counter()

    @asynccontextmanager
    async def turn(self, user_id: int) -> AsyncIterator[None]:
        """Raises Unavailable."""
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
