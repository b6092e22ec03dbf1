"""Group commit: items that arrive during a write are written together by the next.

An old idea of databases (DeWitt et al., "Implementation Techniques for Main Memory Database Systems", SIGMOD 1984). A
lone item is written at once; under load the batches grow by themselves, and the cost of a round trip is shared.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from chatserver.errors import Unavailable

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_BATCH = 500
"""Items written together. Largest message × 500 stays far below MongoDB's 48 MB and keeps Redis scripts short."""

MAX_QUEUED_ITEMS = 5_000
"""Items that may wait. Beyond it `submit` raises Unavailable: the client repeats, and nothing has been promised."""


class GroupCommit(Generic[Item, Result]):
    """Wraps `write`, which takes up to MAX_BATCH items and returns a result for each, in the same order.

    A result that is an exception is raised to the caller that submitted its item; an exception raised by `write` itself
    is raised to all callers of the batch.
    """

    def __init__(
        self, write: Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception]]], *, linger: float = 0.0
    ) -> None:
        """`linger`: seconds that a lone item waits for others, if no caller waits for it."""
        self._write = write
        self._linger = linger
        self._waiting: deque[tuple[Item, asyncio.Future[Result] | None]] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Result:
        """Returns the item's own result, when its batch has been written. Raises Unavailable if too many items wait."""
        if len(self._waiting) >= MAX_QUEUED_ITEMS:
            raise Unavailable(because="too many writes are waiting")
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._hand_in(item, done)
        return await done

    def hand_in(self, item: Item) -> None:
        """Fire and forget. Items that fail, or exceed MAX_QUEUED_ITEMS, are dropped; the sweep repairs them."""
        if len(self._waiting) < MAX_QUEUED_ITEMS:
            self._hand_in(item, None)

    async def join(self) -> None:
        """Returns when no item is waiting any more."""
        while self._writer is not None:
            await asyncio.wait([self._writer])

    def _hand_in(self, item: Item, done: asyncio.Future[Result] | None) -> None:
        self._waiting.append((item, done))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all(), name="group commit")

    async def _write_all(self) -> None:
        try:
            if self._linger:
                await asyncio.sleep(self._linger)
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(MAX_BATCH, len(self._waiting)))]
                await self._write_batch(batch)
        finally:
            self._writer = None

    async def _write_batch(self, batch: list[tuple[Item, asyncio.Future[Result] | None]]) -> None:
        results: Sequence[Result | Exception]
        try:
            results = await self._write([item for item, _ in batch])
            if len(results) != len(batch):
                raise RuntimeError(f"{len(results)} results for {len(batch)} items")
        except Exception as error:  # not swallowed: raised to every caller of this batch
            results = [error] * len(batch)
        except asyncio.CancelledError:
            for _, done in batch:
                if done is not None:
                    done.cancel()
            raise
        for (_, done), result in zip(batch, results, strict=True):
            if done is None or done.cancelled():
                continue
            if isinstance(result, Exception):
                done.set_exception(result)
            else:
                done.set_result(result)
