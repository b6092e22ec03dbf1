"""Answers on their way: how many bytes a process holds for connections that do not take them, in all and of each asker.

A small request may have a large answer, and whoever does not read it leaves it here. So there is room for so much and
no more. Whoever asks for what may be long takes a place first, waits for it a little where there is none, and gives it
back with the last byte. A connection that takes next to nothing is closed: what can be asked for can be asked again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Hashable
from typing import NamedTuple

from tornado.iostream import IOStream, StreamClosedError

from chatserver.errors import Unavailable

LARGE = 16 * 1024
"""Bytes. Less than this is not counted: the system takes it at once."""

EXPECTED = 512 * 1024
"""Bytes that are set aside for an answer that may be long, until its length is known (see `history.PAGE_BYTES`)."""

MOST_OF_ONE = 4 * 1024 * 1024
MOST_IN_ALL = 64 * 1024 * 1024
"""Bytes. A single answer that is longer is sent where nothing else is on its way."""

WAIT_SECONDS = 5.0
MOST_WAITING = 1_000
"""Requests that wait for room. Past it, or after WAIT_SECONDS, they are told to come again."""

LOOK_SECONDS = 5.0
LEAST_PROGRESS = 16 * 1024
"""Bytes that a connection has to take in LOOK_SECONDS. The slowest phones take more."""


class Held:
    """The room that one answer has."""

    def __init__(self, answers: UnsentAnswers, who: Hashable, size: int) -> None:
        self._answers = answers
        self.who = who
        self.size = size
        self._timer: asyncio.TimerHandle | None = None

    def resize(self, size: int) -> None:
        """The answer is as long as this. Raises Unavailable where there is no room."""
        self._answers.resize(self, size)

    def release(self) -> None:
        """Safe to say twice."""
        if self._timer is not None:
            self._timer.cancel()
        self._answers.resize(self, 0)

    def watch(self, stream: IOStream) -> None:
        """The answer was handed to this connection: releases its room when all of it is sent, or the connection is
        closed; closes one that does not take it."""
        try:
            sent = stream.write(b"")  # is sent behind what is there
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
    """`who`: a user, or an address."""

    def __init__(self) -> None:
        self._of_each: Counter[Hashable] = Counter()
        self._in_all = 0
        self._waiting: list[_Waiting] = []

    def __len__(self) -> int:
        """Bytes of all."""
        return self._in_all

    def of(self, who: Hashable) -> int:
        """Bytes."""
        return self._of_each[who]

    async def take(self, who: Hashable, size: int = EXPECTED) -> Held:
        """Waits for room. Raises Unavailable where there is none in a while."""
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
        """Raises Unavailable where there is no room."""
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
        """In the order in which they came; who waits for room of their own holds up nobody else."""
        for waiting in list(self._waiting):
            if not waiting.future.done() and self._fits(waiting.who, waiting.size):
                self._waiting.remove(waiting)
                waiting.future.set_result(self._grant(waiting.who, waiting.size))


def _has_room(held: int, size: int, most: int) -> bool:
    return held == 0 or held + size <= most


def _taken(stream: IOStream) -> int:
    """Bytes that the system took from a connection since it was opened. Tornado counts them and does not tell."""
    return stream._total_write_done_index


def _too_much() -> Unavailable:
    return Unavailable("too many answers are on their way to you, read them first", retry_after=2)
