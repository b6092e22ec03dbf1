"""What a request's own coroutine takes is counted step by step, and nothing of it changes."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from chatserver.web.handlers.metering import metered

pytestmark = pytest.mark.gen_test


async def test_each_step_is_counted_and_waiting_is_not() -> None:
    steps: list[float] = []
    done: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        done.append("done")

    await metered(work(), steps.append)
    assert done == ["done"]
    assert len(steps) == 3
    assert min(steps) >= 0


async def test_what_the_work_raises_is_raised_and_its_last_step_counted() -> None:
    steps: list[float] = []

    async def work() -> None:
        await asyncio.sleep(0)
        raise KeyError("wrong")

    with pytest.raises(KeyError, match="wrong"):
        await metered(work(), steps.append)
    assert len(steps) == 2


async def test_what_it_awaits_may_fail_and_be_caught_there() -> None:
    failing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(failing.set_exception, KeyError("wrong"))
    seen: list[str] = []

    async def work() -> None:
        with suppress(KeyError):
            await failing
        await asyncio.sleep(0)
        seen.append("went on")

    await metered(work(), lambda _: None)
    assert seen == ["went on"]


async def test_a_cancellation_reaches_the_work() -> None:
    seen: list[str] = []
    began = asyncio.Event()

    async def work() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            seen.append("cleaned up")

    task = asyncio.ensure_future(metered(work(), lambda _: None))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["cleaned up"]
