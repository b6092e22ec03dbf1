"""A lookup cache: answers of the database from a moment ago, so that not every request asks it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from cachetools import LRUCache

from chatserver.errors import Unavailable

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

FRESH_SECONDS = 10.0
"""How long an answer is trusted. A process that changes the data tells all processes; this is the bound if its message
got lost."""

STALE_SECONDS = 3600.0
"""Greatest age of an answer used while the database is away. Nothing can be changed there then either."""


class LookupCache(Generic[Key, Value]):
    """Answers of `ask`, by key, at most `size` of them. None is not cached.

    `is_told`: returns True if a message about a change would reach this process now. If not, the database is asked each
    time.
    """

    def __init__(self, ask: Callable[[Key], Awaitable[Value | None]], is_told: Callable[[], bool], size: int) -> None:
        self._ask = ask
        self._is_told = is_told
        self._answers: LRUCache[Key, tuple[float, Value]] = LRUCache(size)
        self._asking: dict[Key, asyncio.Task[Value | None]] = {}

    async def get(self, key: Key) -> Value | None:
        """Returns the answer. Raises Unavailable if the database is away and the answer is not cached."""
        value, age = self._known(key)
        if age < FRESH_SECONDS and self._is_told():
            return value
        try:
            return await asyncio.shield(self._asking.get(key) or self._start_asking(key))
        except Unavailable:
            if age < STALE_SECONDS:
                return value
            raise

    def fresh(self, key: Key) -> Value | None:
        """Returns the answer, if the database need not be asked for it."""
        value, age = self._known(key)
        return value if age < FRESH_SECONDS and self._is_told() else None

    def forget(self, key: Key) -> None:
        """Drops the answer, which has changed. One that is on its way may be outdated, and is not cached."""
        self._answers.pop(key, None)
        self._asking.pop(key, None)

    def _known(self, key: Key) -> tuple[Value | None, float]:
        """Returns the last answer and its age in seconds."""
        asked_at, value = self._answers.get(key, (float("-inf"), None))
        return value, asyncio.get_running_loop().time() - asked_at

    def _start_asking(self, key: Key) -> asyncio.Task[Value | None]:
        """Asks once for all callers that want the answer at the same time."""
        asking = self._asking[key] = asyncio.ensure_future(self._ask(key))
        asked_at = asyncio.get_running_loop().time()

        def keep(answered: asyncio.Task[Value | None]) -> None:
            if self._asking.get(key) is not answered:
                return
            del self._asking[key]
            if answered.cancelled() or answered.exception() is not None:
                return
            value = answered.result()
            if value is None:
                self._answers.pop(key, None)
            else:
                self._answers[key] = asked_at, value

        asking.add_done_callback(keep)
        return asking
