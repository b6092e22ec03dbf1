"""Limits on guessing passwords, without locking users out of their own accounts.

Wrong tries count for a name from one address, which is refused then; for an address over all names; and for a name from
anywhere, which makes each further try wait and never refuses the right one. They count before the password is checked,
so that many at once are no more than many in turn. An unknown name is counted like any other.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator

from chatserver.errors import TooMany
from chatserver.model.display_names import name_key, one_spaced
from chatserver.quotas.limiter import Limiter
from chatserver.quotas.quotas import WRONG_FOR_NAME, WRONG_FROM_ADDRESS, WRONG_FROM_ADDRESS_FOR_NAME

SLOWED_SECONDS = 2.0
"""Delay of each try for a name that is being guessed at."""

MAX_WAITING_TRIES = 20
"""Tries for one name from one address that may wait for the one before them."""

LONGEST_NAME = 256


class Guess:
    was_right = False


class Guesses:
    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self._turns: dict[str, _Turn] = {}

    @contextlib.asynccontextmanager
    async def one(self, name: str, place: str) -> AsyncIterator[Guess]:
        """Runs one try at a password inside. It counts as wrong unless it is noted as right. Raises TooMany."""
        if not self._limiter.is_on:
            yield Guess()
            return
        key = _key(name)
        pair = f"{key}@{place}"
        async with self._turn(pair):
            await self._limiter.check(WRONG_FROM_ADDRESS, place)
            await self._limiter.spend(WRONG_FROM_ADDRESS_FOR_NAME, pair)
            if await self._limiter.is_used_up(WRONG_FOR_NAME, key):
                await asyncio.sleep(SLOWED_SECONDS)
            guess = Guess()
            yield guess
            if guess.was_right:
                await self._limiter.forget(WRONG_FROM_ADDRESS_FOR_NAME, pair)
            else:
                await self._limiter.count(WRONG_FROM_ADDRESS, place)
                await self._limiter.count(WRONG_FOR_NAME, key)

    @contextlib.asynccontextmanager
    async def _turn(self, pair: str) -> AsyncIterator[None]:
        """Runs tries one after the other: right ones, which are forgotten, must not count as wrong meanwhile."""
        turn = self._turns.setdefault(pair, _Turn())
        if turn.waiting >= MAX_WAITING_TRIES:
            raise TooMany(WRONG_FROM_ADDRESS_FOR_NAME.verb, WRONG_FROM_ADDRESS_FOR_NAME.text, retry_after=2)
        turn.waiting += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.waiting -= 1
            if not turn.waiting:
                del self._turns[pair]


class _Turn:
    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.waiting = 0


def _key(name: str) -> str:
    """Returns one key for all spellings under which a name is found. The name can't be read from it."""
    spelled = name_key(one_spaced(name[:LONGEST_NAME])).encode("utf-8", "surrogatepass")
    return hashlib.sha256(spelled).hexdigest()[:32]
