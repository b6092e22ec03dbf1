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
`audience.py`). Some hundred wait for MongoDB at once where it is slow, and are answered within seconds."""

MAX_REQUESTS_OF_A_USER = 12
"""Twice of what a browser asks at once of a server that speaks HTTP/1.1."""

MAX_WAITING_OF_A_USER = 100
WAIT_SECONDS = 5.0
"""Requests of one user that may wait for their turn, and for how long."""


class _Turns:
    """`working`: requests that have their turn. `waiting`: those that will, in order."""

    __slots__ = ("waiting", "working")

    def __init__(self) -> None:
        self.working: WeakSet[object] = WeakSet()
        self.waiting: deque[tuple[object, asyncio.Future[None]]] = deque()


class Workload:
    """`of_a_user`: how many of one user are worked on at once; None: any number.

    Whoever begins a request ends it. One that is gone without a word counts no longer.
    """

    def __init__(self, of_a_user: int | None) -> None:
        self._of_a_user = of_a_user
        self._working: WeakSet[object] = WeakSet()
        self._turns: dict[int, _Turns] = {}
        self._whose: WeakKeyDictionary[object, int] = WeakKeyDictionary()

    def begin(self, request: object) -> None:
        """Raises Unavailable where too many are worked on."""
        if len(self._working) >= MAX_REQUESTS:
            raise Unavailable("too much is going on right now, try again", retry_after=1)
        self._working.add(request)

    async def turn(self, request: object, user_id: int) -> None:
        """Returns when the user's other requests leave room for this one. Raises TooMany."""
        if self._of_a_user is None:
            return
        turns = self._turns.setdefault(user_id, _Turns())
        if turns.waiting or len(turns.working) >= self._of_a_user:
            if len(turns.waiting) >= MAX_WAITING_OF_A_USER:
                raise TooMany("requests at once")
            await self._wait(turns, request)
        turns.working.add(request)
        self._whose[request] = user_id

    async def _wait(self, turns: _Turns, request: object) -> None:
        called = asyncio.get_running_loop().create_future()
        place = request, called
        turns.waiting.append(place)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await called
        except TimeoutError:
            turns.working.discard(request)
            raise TooMany("requests at once") from None
        finally:
            if place in turns.waiting:
                turns.waiting.remove(place)

    def end(self, request: object) -> None:
        """Safe to say twice, and of one that did not begin."""
        self._working.discard(request)
        user_id = self._whose.pop(request, None)
        turns = None if user_id is None else self._turns.get(user_id)
        if turns is None or user_id is None or self._of_a_user is None:
            return
        turns.working.discard(request)
        while turns.waiting and len(turns.working) < self._of_a_user:
            following, called = turns.waiting.popleft()
            if not called.done():
                turns.working.add(following)  # before anybody else comes
                called.set_result(None)
        if not turns.waiting and not turns.working:
            del self._turns[user_id]
