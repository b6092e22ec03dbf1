"""The requests that are worked on at the same time: so many in all, and so many of one user.

Requests that nobody waits for any more are worked on too. Without a bound in all, a process that can't keep up with
what it is asked would be busy with those alone, and answer nobody in time, until long after the rush. Without a bound
by user one user's requests would stand in front of everybody else's. And each user has a share of the process's time
(`fair_share.py`): who had more of it lately waits, in a line of their own, for refusals too.
"""

from __future__ import annotations

import asyncio
from collections import deque
from weakref import WeakKeyDictionary, WeakSet

from chatserver.errors import TooMany, Unavailable
from chatserver.web.transport.fair_share import REQUEST_SECONDS, FairShares

MAX_REQUESTS = 256
"""Worked on at the same time, posts and streams aside: those have bounds of their own (`group_commit.py`,
`open_streams.py`). Some hundred wait for MongoDB at once where it is slow, and are answered within seconds."""

MAX_REQUESTS_OF_A_USER = 12
"""Twice of what a browser asks at once of a server that speaks HTTP/1.1."""

MAX_REQUESTS_OF_A_BUSY_USER = 2
"""Of one who had a good part of the process's time a moment ago: whoever comes in between waits for the next step of
each of them."""

MAX_REQUESTS_FROM_AN_ADDRESS = 100
"""Of those who are signed out: some of them wait for a hash (`hashing.py`), and an office has one address."""

MAX_WAITING = 1_000
MAX_WAITING_OF_A_USER = 100
WAIT_SECONDS = 5.0
"""Requests that may wait for their turn, in all and of one user, and for how long. To refuse them at once would only
make those come again at once who do not heed `Retry-After`."""

HELD_SHARE_SECONDS = 0.01
LONGEST_HELD_SECONDS = 5.0
"""Where too many wait already, a refusal waits so long for each other one of the same user."""

Who = int | str
"""A user's id, or the network of somebody who is signed out."""


class _Turns:
    """`working`: requests that have their turn. `waiting`: those that will, in order."""

    __slots__ = ("_timer", "waiting", "working")

    def __init__(self) -> None:
        self.working: WeakSet[object] = WeakSet()
        self.waiting: deque[tuple[object, asyncio.Future[None]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def take_now(self, request: object) -> bool:
        """Works on the request if there is room for it, and nobody waits."""
        if self.waiting or len(self.working) >= self._limit() or self._pause() > 0:
            return False
        self._admit(request)
        return True

    async def take(self, request: object, most_waiting: int) -> bool:
        """Works on the request as soon as there is room for it. False: too many wait, or it waited too long."""
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
        """Calls those who come next."""
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
                self._admit(following)  # before anybody else comes
                called.set_result(None)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _admit(self, request: object) -> None:
        self.working.add(request)

    def _limit(self) -> int:
        """How many are worked on at once."""
        return MAX_REQUESTS

    def _pause(self) -> float:
        """Seconds until the next one may be worked on."""
        return 0.0


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
        """Returns when it is time to refuse a request. That costs something too, and may be repeated at once."""
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
    """`shares`: of the process's time; None: anybody may have all of it, and any number of requests at once.

    Whoever begins a request ends it. One that is gone without a word counts no longer.
    """

    def __init__(self, shares: FairShares | None) -> None:
        self._shares = shares
        self._in_all = _Turns()
        self._lines: dict[Who, _Line] = {}
        self._whose: WeakKeyDictionary[object, Who] = WeakKeyDictionary()

    async def begin(self, request: object) -> None:
        """Returns when there is room for one more. Raises Unavailable."""
        if not await self._in_all.take(request, MAX_WAITING):
            raise Unavailable(because="too many requests are being worked on", retry_after=1)

    async def turn(self, request: object, who: Who) -> None:
        """Returns when it is the request's turn among those of the same user. Raises TooMany, and what `begin` does."""
        if self._shares is None:
            return
        line = self._lines.get(who)
        if line is None:
            line = self._lines[who] = _Line(who, self._shares)
        if not line.take_now(request):
            await self._wait(request, who, line)
        self._whose[request] = who

    async def _wait(self, request: object, who: Who, line: _Line) -> None:
        """In the user's own line, where it is in nobody else's way."""
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
        """For what their request took of the process's time."""
        if self._shares is not None:
            self._shares.charge(who, seconds)

    def end(self, request: object) -> None:
        """Safe to say twice, and of one that did not begin."""
        self._in_all.end(request)
        who = self._whose.pop(request, None)
        if who is not None and (line := self._lines.get(who)) is not None:
            line.end(request)
            self._drop_if_empty(who, line)

    def _drop_if_empty(self, who: Who, line: _Line) -> None:
        if line.is_empty and self._lines.get(who) is line:
            del self._lines[who]
