"""Group commit: what comes during a write is written with the next one, unless nobody waits for it any more."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from chatserver.errors import Overloaded
from chatserver.support import group_commit
from chatserver.support.group_commit import GroupCommit
from tests.helpers.waiting import until

pytestmark = pytest.mark.gen_test


class Slow:
    """Writes nothing before `go`."""

    def __init__(self, patience: float | None = None) -> None:
        self.go = asyncio.Event()
        self.batches: list[list[int]] = []
        self.group: GroupCommit[int, int] = GroupCommit(self.write, patience=patience)

    async def write(self, items: Sequence[int]) -> Sequence[int]:
        self.batches.append(list(items))
        await self.go.wait()
        return [item * 10 for item in items]

    async def begin(self, *items: int) -> list[asyncio.Future[int]]:
        """The first is being written, the others wait."""
        submitted: list[asyncio.Future[int]] = [asyncio.ensure_future(self.group.submit(item)) for item in items]
        await until(lambda: self.batches)
        return submitted


async def test_what_comes_during_a_write_is_written_together() -> None:
    slow = Slow()
    submitted = await slow.begin(1)
    submitted += [asyncio.ensure_future(slow.group.submit(item)) for item in (2, 3)]
    await asyncio.sleep(0)
    slow.go.set()
    assert await asyncio.gather(*submitted) == [10, 20, 30]
    assert slow.batches == [[1], [2, 3]]


async def test_what_waited_for_too_long_is_refused_and_not_written() -> None:
    slow = Slow(patience=0.02)
    submitted = await slow.begin(1)
    submitted.append(asyncio.ensure_future(slow.group.submit(2)))
    await asyncio.sleep(0.05)
    late = asyncio.ensure_future(slow.group.submit(3))
    await asyncio.sleep(0)
    slow.go.set()
    assert await submitted[0] == 10
    with pytest.raises(Overloaded):
        await submitted[1]
    assert await late == 30
    assert slow.batches == [[1], [3]]


async def test_without_a_bound_it_waits_as_long_as_it_takes() -> None:
    slow = Slow()
    submitted = await slow.begin(1)
    submitted.append(asyncio.ensure_future(slow.group.submit(2)))
    await asyncio.sleep(0.05)
    slow.go.set()
    assert await asyncio.gather(*submitted) == [10, 20]


async def test_what_nobody_waits_for_any_more_is_not_written() -> None:
    slow = Slow()
    submitted = await slow.begin(1)
    submitted += [asyncio.ensure_future(slow.group.submit(item)) for item in (2, 3)]
    await asyncio.sleep(0)
    submitted[1].cancel()
    slow.go.set()
    assert [await submitted[0], await submitted[2]] == [10, 30]
    assert slow.batches == [[1], [3]]


async def test_how_many_may_wait_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "MAX_QUEUED_ITEMS", 2)
    slow = Slow()
    submitted = await slow.begin(1)
    submitted += [asyncio.ensure_future(slow.group.submit(item)) for item in (2, 3)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await slow.group.submit(4)
    slow.go.set()
    assert await asyncio.gather(*submitted) == [10, 20, 30]
