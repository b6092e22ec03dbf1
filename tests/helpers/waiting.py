"""Waiting for something to become true: the only way in which these tests wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from common import waiting
from tests.helpers.processes_seen import is_alive, kill

WAIT_SECONDS = 30.0


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Polls. Fails the test with `what` it waited for."""
    assert waiting.blocked_until(condition, WAIT_SECONDS, poll=0.02), f"waited in vain until {what}"


def wait_until_ended(pids: Sequence[int], what: str) -> None:
    """Leaves none of them behind, even when it was waited in vain."""
    try:
        wait_until(lambda: not any(map(is_alive, pids)), what)
    finally:
        kill(pids)


async def until(condition: Callable[[], object | Awaitable[object]]) -> None:
    """Polls without standing in the way of what is waited for. Raises TimeoutError."""
    if not await waiting.until(condition, WAIT_SECONDS, poll=0.01):
        raise TimeoutError


async def for_ever() -> None:
    """Waits for nothing, until it is cancelled."""
    await asyncio.Event().wait()
