"""How somebody asks who wants to have it done: at any door, again and again, at several at once, or hanging up."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from common.http_client import Answer, Person, request
from torture.people.journal import Attempt, Journal
from torture.world.doors import Door
from torture.world.nginx import TRIED

Ask = Callable[[Door], Awaitable[None]]
"""Makes one attempt."""


class Insisting:
    """`under_way`: how much is not settled yet."""

    def __init__(self, journal: Journal, doors: list[Door], lots: random.Random) -> None:
        self._journal = journal
        self._doors = doors
        self._random = lots
        self._tasks: set[asyncio.Task[None]] = set()
        self._hurry = False

    @property
    def under_way(self) -> int:
        return len(self._tasks)

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def hurry(self) -> None:
        """Nobody waits long any more."""
        self._hurry = True

    async def finish(self, seconds: float) -> None:
        """Returns when all is settled, or time is up."""
        self.hurry()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        left = list(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def until_settled(self, ask: Ask, is_settled: Callable[[], bool]) -> None:
        while not is_settled():
            if self._random.random() < 0.05:  # at all of them at the same moment
                await asyncio.gather(*map(ask, self._doors))
            else:
                await ask(self._random.choice(self._doors))
            if not is_settled():
                await self._pause(self._random.choice([0.05, 0.2, 0.2, 1.0, 1.0, 3.0, 12.0]))

    async def now_and_then_again(self, ask: Ask) -> None:
        """Some ask though they have their answer."""
        while self._random.random() < 0.07:
            await self._pause(self._random.choice([0.0, 0.5, 3.0, 30.0]))
            await ask(self._random.choice(self._doors))

    async def attempt(
        self, attempts: list[Attempt], door: Door, person: Person, method: str, path: str, body: Any = None
    ) -> tuple[Attempt, Answer | None]:
        """Returns the attempt, which is among the others from the start, and its answer if there was one."""
        attempt = Attempt(self._journal.now(), door.name, times=door.chats)
        attempts.append(attempt)
        # Some hang up at once: the server works on for nobody.
        seconds = self._random.choice([0.005, 0.02, 0.1]) if self._random.random() < 0.04 else 25.0
        answer = None
        try:
            answer = await request(door.port, method, path, headers=person.headers, body=body, seconds=seconds)
            attempt.status = answer.status
            attempt.times = len(answer.headers.get(TRIED.lower(), "").split(","))
        except (OSError, EOFError, TimeoutError) as error:
            attempt.why = type(error).__name__
        attempt.until = self._journal.now()
        return attempt, answer

    async def _pause(self, seconds: float) -> None:
        """Up to so long; a moment only, once everybody hurries."""
        deadline = self._journal.now() + seconds * self._random.random()
        while self._journal.now() < deadline:
            if self._hurry:
                await asyncio.sleep(0.3)
                return
            await asyncio.sleep(0.1)
