"""Unsent answers: a bound on the bytes that a process holds for slow connections, in all and of each asker.

A small request may have a large answer, which stays here until its client reads it. So the room for answers is bounded.
A request whose answer may be long takes room first, waits for it a little if there is none, and gives it back with the
last byte. A connection that takes next to nothing is closed: the client can repeat its request.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Hashable
from typing import NamedTuple

from tornado.iostream import IOStream, StreamClosedError

from chatserver.errors import Unavailable

LARGE = 16 * 1024
"""Bytes. A smaller answer is not counted: the system takes it at once."""

EXPECTED = 512 * 1024
"""Bytes that are reserved for an answer that may be long, until its length is known (see `history.PAGE_BYTES`)."""

MOST_OF_ONE = 4 * 1024 * 1024
MOST_IN_ALL = 64 * 1024 * 1024
"""Bytes. A single longer answer is sent if no other is on its way."""

WAIT_SECONDS = 5.0
MOST_WAITING = 1_000
"""Requests that wait for room. Past it, or after WAIT_SECONDS, they get 503."""

LOOK_SECONDS = 5.0
LEAST_PROGRESS = 16 * 1024
"""Bytes that a connection has to take in LOOK_SECONDS. The slowest phones take more."""


class Held:
    """The room of one answer."""

    def __init__(self, answers: UnsentAnswers, who: Hashable, size: int) -> None:
        self._answers = answers
        self.who = who
        self.size = size
        self._timer: asyncio.TimerHandle | None = None

    def resize(self, size: int) -> None:
        """Sets the answer's length in bytes. Raises Unavailable if there is no room."""
        self._answers.resize(self, size)

    def release(self) -> None:
        """Gives the room back. May be called twice."""
        if self._timer is not None:
            self._timer.cancel()
        self._answers.resize(self, 0)

    def watch(self, stream: IOStream) -> None:
        """Follows the answer on its connection: releases its room when all of it is sent, or the connection is closed;
        closes one that does not take it."""
        try:
            sent = stream.write(b"")  # is sent after the bytes already there
        except StreamClosedError:
            self.release()
            return
        if sent.done():
            self.release()
            return
        sent.add_done_callback(self._done)
        self._look_later(stream, _taken(stream))

    def _done(self, sent: asyncio.Future[None]) -> None:
        sent.exception()
        self.release()

    def _look_later(self, stream: IOStream, taken: int) -> None:
        self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look, stream, taken)

    def _look(self, stream: IOStream, taken: int) -> None:
        if _taken(stream) - taken < LEAST_PROGRESS:
            stream.close()
        else:
            self._look_later(stream, _taken(stream))


class _Waiting(NamedTuple):
    who: Hashable
    size: int
    future: asyncio.Future[Held]


class UnsentAnswers:
    """`who`: a user's id, or an address."""

    def __init__(self) -> None:
        self._of_each: Counter[Hashable] = Counter()
        self._in_all = 0
        self._waiting: list[_Waiting] = []

    def __len__(self) -> int:
        """Returns the bytes of all."""
        return self._in_all

    def of(self, who: Hashable) -> int:
        """Returns the bytes of one asker."""
        return self._of_each[who]

    async def take(self, who: Hashable, size: int = EXPECTED) -> Held:
        """Waits for `size` bytes of room. Raises Unavailable if there is none in WAIT_SECONDS."""
        if self._fits(who, size) and not any(each.who == who for each in self._waiting):
            return self._grant(who, size)
        if len(self._waiting) >= MOST_WAITING:
            raise _too_much()
        waiting = _Waiting(who, size, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await asyncio.shield(waiting.future)
        except TimeoutError:
            if waiting.future.done():  # at the same moment
                return waiting.future.result()
            raise _too_much() from None
        finally:
            if not waiting.future.done():
                self._waiting.remove(waiting)

    def take_now(self, who: Hashable, size: int) -> Held:
        """Takes `size` bytes of room. Raises Unavailable if there is none."""
        if not self._fits(who, size):
            raise _too_much()
        return self._grant(who, size)

    def resize(self, held: Held, size: int) -> None:
        """Raises Unavailable."""
        if size > held.size and not self._fits(held.who, size, held.size):
            raise _too_much()
        self._count(held.who, size - held.size)
        shrinks = size < held.size
        held.size = size
        if shrinks:
            self._serve_waiting()

    def _fits(self, who: Hashable, size: int, instead_of: int = 0) -> bool:
        return _has_room(self._of_each[who] - instead_of, size, MOST_OF_ONE) and _has_room(
            self._in_all - instead_of, size, MOST_IN_ALL
        )

    def _grant(self, who: Hashable, size: int) -> Held:
        self._count(who, size)
        return Held(self, who, size)

    def _count(self, who: Hashable, size: int) -> None:
        self._in_all += size
        self._of_each[who] += size
        if not self._of_each[who]:
            del self._of_each[who]

    def _serve_waiting(self) -> None:
        """Serves requests in their order; an asker without room of their own holds up no other."""
        for waiting in list(self._waiting):
            if not waiting.future.done() and self._fits(waiting.who, waiting.size):
                self._waiting.remove(waiting)
                waiting.future.set_result(self._grant(waiting.who, waiting.size))


def _has_room(held: int, size: int, most: int) -> bool:
    return held == 0 or held + size <= most


def _taken(stream: IOStream) -> int:
    """Returns the bytes that the system took from a connection since it was opened. Tornado counts them in a private
    field."""
    return stream._total_write_done_index


def _too_much() -> Unavailable:
    return Unavailable("too many answers are on their way to you, read them first", retry_after=2)
