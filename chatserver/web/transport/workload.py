"""The requests that are worked on at the same time: so many in all, and so many of one user.

Requests that nobody waits for any more are worked on too. Without a bound in all, a process that can't keep up with
what it is asked would be busy with those alone, and answer nobody in time, until long after the rush. Without a bound
by user one user's requests would stand in front of everybody else's.
"""

from __future__ import annotations

import asyncio
from collections import deque
from weakref import WeakKeyDictionary, WeakSet

from chatserver.errors import TooMany, Unavailable

MAX_REQUESTS = 256
"""Worked on at the same time, posts and streams aside: those have bounds of their own (`group_commit.py`,
`open_streams.py`). Some hundred wait for MongoDB at once where it is slow, and are answered within seconds."""

MAX_REQUESTS_OF_A_USER = 12
"""Twice of what a browser asks at once of a server that speaks HTTP/1.1."""

MAX_WAITING = 1_000
MAX_WAITING_OF_A_USER = 100
WAIT_SECONDS = 5.0
"""Requests that may wait for their turn, in all and of one user, and for how long. To refuse them at once would only
make those come again at once who do not heed `Retry-After`."""


class _Turns:
    """`working`: requests that have their turn. `waiting`: those that will, in order."""

    __slots__ = ("waiting", "working")

    def __init__(self) -> None:
        self.working: WeakSet[object] = WeakSet()
        self.waiting: deque[tuple[object, asyncio.Future[None]]] = deque()

    async def take(self, request: object, limit: int, most_waiting: int) -> bool:
        """Works on the request as soon as there are fewer than `limit`. False: too many wait, or it waited too long."""
        if not self.waiting and len(self.working) < limit:
            self.working.add(request)
            return True
        return len(self.waiting) < most_waiting and await self._is_called(request, limit)

    async def _is_called(self, request: object, limit: int) -> bool:
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        place = request, called
        self.waiting.append(place)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await called
        except TimeoutError:
            self.end(request, limit)  # it may have been called in this very moment: then the next one is
            return False
        finally:
            if place in self.waiting:
                self.waiting.remove(place)
        return True

    def end(self, request: object, limit: int) -> None:
        """Calls those who come next."""
        self.working.discard(request)
        while self.waiting and len(self.working) < limit:
            following, called = self.waiting.popleft()
            if not called.done():
                self.working.add(following)  # before anybody else comes
                called.set_result(None)


class Workload:
    """`of_a_user`: how many of one user are worked on at once; None: any number.

    Whoever begins a request ends it. One that is gone without a word counts no longer.
    """

    def __init__(self, of_a_user: int | None) -> None:
        self._of_a_user = of_a_user
        self._in_all = _Turns()
        self._turns: dict[int, _Turns] = {}
        self._whose: WeakKeyDictionary[object, int] = WeakKeyDictionary()

    async def begin(self, request: object) -> None:
        """Returns when there is room for one more. Raises Unavailable."""
        if not await self._in_all.take(request, MAX_REQUESTS, MAX_WAITING):
            raise Unavailable(because="too many requests are being worked on", retry_after=1)

    async def turn(self, request: object, user_id: int) -> None:
        """Returns when the user's other requests leave room for this one. Raises TooMany."""
        if self._of_a_user is None:
            return
        turns = self._turns.setdefault(user_id, _Turns())
        if not await turns.take(request, self._of_a_user, MAX_WAITING_OF_A_USER):
            raise TooMany("requests at once")
        self._whose[request] = user_id

    def end(self, request: object) -> None:
        """Safe to say twice, and of one that did not begin."""
        self._in_all.end(request, MAX_REQUESTS)
        user_id = self._whose.pop(request, None)
        turns = None if user_id is None else self._turns.get(user_id)
        if turns is not None and user_id is not None and self._of_a_user is not None:
            turns.end(request, self._of_a_user)
            if not turns.waiting and not turns.working:
                del self._turns[user_id]
