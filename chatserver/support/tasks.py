"""Background tasks: how they end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

from chatserver.errors import Unavailable

AGAIN_SECONDS = 0.1

log = logging.getLogger(__name__)


async def stop(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancels tasks, and returns when they have ended. Logs errors other than Unavailable.

    Cancelling once is not enough: if a cancellation meets an answer, `asyncio.wait_for` of Python 3.11, through which
    redis-py sends every command, returns the answer, and the cancellation is lost.
    """
    ended, running = set[asyncio.Task[Any]](), set(tasks)
    while running:
        for task in running:
            task.cancel()
        done, running = await asyncio.wait(running, timeout=AGAIN_SECONDS)
        ended |= done
    for task in ended:
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, Unavailable):
            log.error("%s had failed", task.get_name(), exc_info=error)
