"""Group commit: items that arrive during a write are written together by the next.

An old idea of databases (DeWitt et al., "Implementation Techniques for Main Memory Database Systems", SIGMOD 1984). A
lone item is written at once; under load the batches grow by themselves, and the cost of a round trip is shared.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from chatserver.errors import Overloaded

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_BATCH = 500
"""Items written together. Largest message × 500 stays far below MongoDB's 48 MB and keeps Redis scripts short."""

MAX_QUEUED_ITEMS = 5_000
"""Items that may wait. Beyond it `submit` raises Overloaded: the client repeats, and nothing has been promised."""


PATIENCE_SECONDS = 5.0
"""Time that an item waits, where that is bounded. Clients give up after some time and repeat; if they spent all of it
in a queue, an overloaded process would work for clients that are gone, and answer none, until long after the rush."""


class GroupCommit(Generic[Item, Result]):
    """Wraps `write`, which takes up to MAX_BATCH items and returns a result for each, in the same order.

    A result that is an exception is raised to the caller that submitted its item; an exception raised by `write` itself
    is raised to all callers of the batch.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception]]],
        *,
        linger: float = 0.0,
        patience: float | None = None,
    ) -> None:
        """`linger`: seconds that a lone item waits for others, if no caller waits for it. `patience`: seconds after
        which an item that still waits is refused."""
        self._write = write
        self._linger = linger
        self._patience = patience
        self._waiting: deque[_Waiting[Item, Result]] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Result:
        """Returns the item's own result, when its batch has been written. Raises Overloaded if too many items wait, or
        this one waited for too long."""
        if len(self._waiting) >= MAX_QUEUED_ITEMS:
            raise _too_many()
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
        self._waiting.append(_Waiting(item, done, asyncio.get_running_loop().time()))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all(), name="group commit")

    async def _write_all(self) -> None:
        try:
            if self._linger:
                await asyncio.sleep(self._linger)
            while self._waiting:
                if batch := self._next_batch():
                    await self._write_batch(batch)
        finally:
            self._writer = None

    def _next_batch(self) -> list[_Waiting[Item, Result]]:
        """Takes the next items, but for those whose callers have gone, or that waited for too long."""
        batch: list[_Waiting[Item, Result]] = []
        now = asyncio.get_running_loop().time()
        while self._waiting and len(batch) < MAX_BATCH:
            waiting = self._waiting.popleft()
            if waiting.done is not None and waiting.done.cancelled():
                continue
            if waiting.done is not None and self._patience is not None and now - waiting.since > self._patience:
                waiting.done.set_exception(_too_many())
                continue
            batch.append(waiting)
        return batch

    async def _write_batch(self, batch: list[_Waiting[Item, Result]]) -> None:
        results: Sequence[Result | Exception]
        try:
            results = await self._write([waiting.item for waiting in batch])
            if len(results) != len(batch):
                raise RuntimeError(f"{len(results)} results for {len(batch)} items")
        except Exception as error:  # not swallowed: raised to every caller of this batch
            results = [error] * len(batch)
        except asyncio.CancelledError:
            for waiting in batch:
                if waiting.done is not None:
                    waiting.done.cancel()
            raise
        for (_, done, _), result in zip(batch, results, strict=True):
            if done is None or done.cancelled():
                continue
            if isinstance(result, Exception):
                done.set_exception(result)
            else:
                done.set_result(result)


class _Waiting(NamedTuple, Generic[Item, Result]):
    """`done`: None if no caller waits. `since`: when it was handed in, in seconds of the loop's clock."""

    item: Item
    done: asyncio.Future[Result] | None
    since: float


def _too_many() -> Overloaded:
    return Overloaded(because="too many writes are waiting", retry_after=2)
