"""Background tasks end when they are told to."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any

import pytest

from chatserver.errors import Unavailable
from chatserver.support import tasks

pytestmark = pytest.mark.gen_test


async def begun(work: Iterable[Coroutine[Any, Any, None]]) -> list[asyncio.Task[None]]:
    """Tasks that have run as far as they get by themselves."""
    started = [asyncio.create_task(each) for each in work]
    await asyncio.sleep(0)
    return started


async def until_stopped(*running: asyncio.Task[None]) -> None:
    async with asyncio.timeout(20):
        await tasks.stop(running)
    assert all(task.done() for task in running)


async def test_a_task_that_lost_its_cancellation_is_told_again() -> None:
    """As wait_for loses it, when the answer comes at the same moment."""
    lost = 0

    async def work() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                lost += 1
                if lost == 3:
                    raise

    await until_stopped(*(await begun([work()])))
    assert lost == 3


async def test_a_task_that_failed_is_told_of_and_what_was_only_unavailable_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail(error: Exception) -> None:
        raise error

    await until_stopped(*(await begun([fail(ValueError("a bug")), fail(Unavailable()), asyncio.sleep(60)])))
    (record,) = caplog.records
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "a bug"


async def test_nothing_to_stop_is_stopped() -> None:
    await until_stopped()
