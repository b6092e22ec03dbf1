"""Waiting for something to become true: the only way in which these tests wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from tests.helpers.processes_seen import is_alive, kill

WAIT_SECONDS = 30.0


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Polls. Fails the test with `what` it waited for."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.02)


def wait_until_ended(pids: Sequence[int], what: str) -> None:
    """Leaves none of them behind, even when it was waited in vain."""
    try:
        wait_until(lambda: not any(map(is_alive, pids)), what)
    finally:
        kill(pids)


async def until(condition: Callable[[], object]) -> None:
    """Polls without standing in the way of what is waited for. Raises TimeoutError."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
