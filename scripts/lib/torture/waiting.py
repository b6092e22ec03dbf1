"""Waiting for a condition of the world outside, which can only be asked again and again."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable

POLL_SECONDS = 0.1


async def until(condition: Callable[[], bool | Awaitable[bool]], seconds: float) -> bool:
    """Returns whether it held within so many seconds, at once when it does."""
    deadline = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline:
        holds = condition()
        if await holds if inspect.isawaitable(holds) else holds:
            return True
        await asyncio.sleep(POLL_SECONDS)
    return False
