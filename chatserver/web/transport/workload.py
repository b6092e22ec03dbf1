"""Workload: bounds the requests in progress at a time, in all and of one user.

Requests whose clients have given up are worked on too. Without a bound in all, an overloaded process would be busy with
those alone, and answer no request in time, until long after the rush. Without a bound by user one user's requests would
stand in front of all others'. And each user has a share of the process's time (`fair_share.py`): a user who had more of
it lately waits, in a queue of their own, for refusals too.
"""

from __future__ import annotations

import asyncio
from collections import deque
from weakref import WeakKeyDictionary, WeakSet

from chatserver.errors import Overloaded, TooMany, Unavailable
from chatserver.web.transport.fair_share import REQUEST_SECONDS, FairShares

MAX_REQUESTS = 256
"""Requests in progress at a time, posts and streams aside. Some hundred wait for MongoDB at once if it is slow, and are
answered within seconds. Streams have a bound of their own (`open_streams.py`)."""

MAX_POSTS = 1_000
"""Posts in progress at a time: two batches of each write. The others wait in a queue of their own."""

MAX_REQUESTS_OF_A_USER = 12
"""Twice as many as a browser sends at once to a server that speaks HTTP/1.1."""

MAX_REQUESTS_OF_A_BUSY_USER = 2
"""For a user who had a good part of the process's time a moment ago: each step of their requests delays those of
others."""

MAX_REQUESTS_FROM_AN_ADDRESS = 100
"""For signed-out clients: some of them wait for a hash (`hashing.py`), and an office has one address."""

MAX_WAITING = 1_000
MAX_WAITING_OF_A_USER = 100
WAIT_SECONDS = 5.0
"""Requests that may wait for their turn, in all and of one user, and for how long. An immediate refusal would only make
clients that ignore `Retry-After` repeat at once."""

HELD_SHARE_SECONDS = 0.01
LONGEST_HELD_SECONDS = 5.0
"""Delay of a refusal for each other waiting refusal of the same user, and the longest delay, if too many requests
wait."""

Who = int | str
"""A user's id, or the network of a signed-out client."""


class _Turns:
    """`working`: requests that have their turn. `waiting`: those that will, in order."""

    __slots__ = ("_timer", "waiting", "working")

    def __init__(self) -> None:
        self.working: WeakSet[object] = WeakSet()
        self.waiting: deque[tuple[object, asyncio.Future[None]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def take_now(self, request: object) -> bool:
        """Admits the request if there is room for it and no other waits. Returns False otherwise."""
        if self.waiting or len(self.working) >= self._limit() or self._pause() > 0:
            return False
        self._admit(request)
        return True

    async def take(self, request: object, most_waiting: int) -> bool:
        """Admits the request as soon as there is room for it. Returns False if too many wait, or it waited too long."""
        if self.take_now(request):
            return True
        return len(self.waiting) < most_waiting and await self._is_called(request)

    async def _is_called(self, request: object) -> bool:
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        place = request, called
        self.waiting.append(place)
        self._call()
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await called
        except TimeoutError:
            self.end(request)  # it may have been called in this very moment: then the next one is
            return False
        finally:
            if place in self.waiting:
                self.waiting.remove(place)
        return True

    def end(self, request: object) -> None:
        """Ends a request and admits the next ones."""
        self.working.discard(request)
        self._call()

    def _call(self) -> None:
        self._stop_timer()
        while self.waiting and len(self.working) < self._limit():
            if (pause := self._pause()) > 0:
                self._timer = asyncio.get_running_loop().call_later(pause, self._call)
                return
            following, called = self.waiting.popleft()
            if not called.done():
                self._admit(following)  # before any other request arrives
                called.set_result(None)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _admit(self, request: object) -> None:
        self.working.add(request)

    def _limit(self) -> int:
        """Returns the most requests in progress at a time."""
        return MAX_REQUESTS

    def _pause(self) -> float:
        """Returns the seconds until the next one may be admitted."""
        return 0.0


class _Posts(_Turns):
    __slots__ = ()

    def _limit(self) -> int:
        return MAX_POSTS


class _Line(_Turns):
    """The requests of one user, who has a share of the process's time."""

    __slots__ = ("_shares", "_who", "held")

    def __init__(self, who: Who, shares: FairShares) -> None:
        super().__init__()
        self._who = who
        self._shares = shares
        self.held = 0

    @property
    def is_empty(self) -> bool:
        return not (self.waiting or self.working or self.held)

    async def hold(self) -> None:
        """Returns when it is time to refuse a request. A refusal costs time too, and may be repeated at once."""
        self.held += 1
        try:
            await asyncio.sleep(min(LONGEST_HELD_SECONDS, self.held * HELD_SHARE_SECONDS))
        finally:
            self.held -= 1

    def _admit(self, request: object) -> None:
        super()._admit(request)
        self._shares.charge(self._who, REQUEST_SECONDS)

    def _limit(self) -> int:
        if isinstance(self._who, str):
            return MAX_REQUESTS_FROM_AN_ADDRESS
        return MAX_REQUESTS_OF_A_USER if self._shares.is_modest(self._who) else MAX_REQUESTS_OF_A_BUSY_USER

    def _pause(self) -> float:
        return self._shares.pause(self._who)


class Workload:
    """`shares`: of the process's time; None: no limits on time and number of requests.

    The caller of `begin` calls `end`. A request that vanishes without it is no longer counted.
    """

    def __init__(self, shares: FairShares | None) -> None:
        self._shares = shares
        self._in_all = _Turns()
        self._posts = _Posts()
        self._lines: dict[Who, _Line] = {}
        self._whose: WeakKeyDictionary[object, Who] = WeakKeyDictionary()

    async def begin(self, request: object) -> None:
        """Returns when there is room for one more. Raises Unavailable."""
        if not await self._in_all.take(request, MAX_WAITING):
            raise Unavailable(because="too many requests are being worked on", retry_after=1)

    async def begin_post(self, request: object) -> None:
        """Returns when there is room for one more post. Raises Overloaded."""
        if not await self._posts.take(request, MAX_WAITING):
            raise Overloaded(because="too many posts are being worked on", retry_after=2)

    async def turn(self, request: object, who: Who) -> None:
        """Returns when it is the request's turn among those of the same user. Raises TooMany, and the errors of
        `begin`."""
        if self._shares is None:
            return
        line = self._lines.get(who)
        if line is None:
            line = self._lines[who] = _Line(who, self._shares)
        if not line.take_now(request):
            await self._wait(request, who, line)
        self._whose[request] = who

    async def _wait(self, request: object, who: Who, line: _Line) -> None:
        """Waits in the user's own queue, where it delays no other user."""
        is_counted = request in self._in_all.working
        self._in_all.end(request)
        try:
            if not await line.take(request, MAX_WAITING_OF_A_USER):
                await line.hold()
                raise TooMany("requests at once")
        finally:
            self._drop_if_empty(who, line)
        if is_counted:
            self._whose[request] = who
            await self.begin(request)

    def charge(self, who: Who, seconds: float) -> None:
        """Charges a user for the seconds of the process's time that a request took."""
        if self._shares is not None:
            self._shares.charge(who, seconds)

    def end(self, request: object) -> None:
        """Ends a request. May be called twice, and for one that did not begin."""
        self._in_all.end(request)
        self._posts.end(request)
        who = self._whose.pop(request, None)
        if who is not None and (line := self._lines.get(who)) is not None:
            line.end(request)
            self._drop_if_empty(who, line)

    def _drop_if_empty(self, who: Who, line: _Line) -> None:
        if line.is_empty and self._lines.get(who) is line:
            del self._lines[who]
