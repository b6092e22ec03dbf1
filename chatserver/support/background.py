"""The background parts of a process: each runs until the process stops, and none of them ends unnoticed.

An exception of a part is a bug, or an unforeseen fault. It is logged with its traceback; the part rests, longer each
time, and goes on. While one fails again and again the process says that it is not ready (`health.py`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from chatserver.support import tasks

RESTART_SECONDS = (0.1, 5.0)
"""How long a part rests after a failure: the first rest, doubled with each failure in a row, and the longest."""

STEADY_SECONDS = 30.0
"""A part that ran for this long since its last failure counts as working."""

FAILURES_IN_A_ROW = 3
"""With this many failures, each less than STEADY_SECONDS after the one before it, a part counts as failing."""

Work = Callable[[], Awaitable[None]]

log = logging.getLogger(__name__)


class BackgroundTask:
    """A part that is kept running. `work` is called again whenever it raises or returns; its own state stays as it was
    then."""

    def __init__(self, name: str, work: Work) -> None:
        self.name = name
        self._work = work
        self._loop = asyncio.get_running_loop()
        self._failures = 0
        self._failed_at = float("-inf")
        self._task = asyncio.create_task(self._keep_running(), name=name)

    @property
    def is_failing(self) -> bool:
        return self._failures >= FAILURES_IN_A_ROW and not self._is_steady()

    async def stop(self) -> None:
        await tasks.stop([self._task])

    def failed(self, error: BaseException) -> None:
        """Counts and logs a failure. For parts that go on by themselves when only one of many items failed."""
        self._failures = 1 if self._is_steady() else self._failures + 1
        self._failed_at = self._loop.time()
        log.error("%s failed", self.name, exc_info=error)

    def _is_steady(self) -> bool:
        return self._loop.time() - self._failed_at >= STEADY_SECONDS

    async def _keep_running(self) -> None:
        while True:
            try:
                await self._work()
                raise RuntimeError(f"{self.name} ended by itself")
            except asyncio.CancelledError as error:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                self.failed(error)  # an awaited task was cancelled, not the part
            except Exception as error:  # the part goes on in any case
                self.failed(error)
            shortest, longest = RESTART_SECONDS
            await asyncio.sleep(min(shortest * 2 ** min(self._failures - 1, 16), longest))


class Background:
    """All background parts of a process."""

    def __init__(self) -> None:
        self._tasks: list[BackgroundTask] = []

    def start(self, name: str, work: Work) -> BackgroundTask:
        """Keeps `work` running under this name, which `/readyz` reports while it fails."""
        task = BackgroundTask(name, work)
        self._tasks.append(task)
        return task

    def failing(self) -> list[str]:
        """Returns the names of the parts that fail again and again, and may have stopped working."""
        return [task.name for task in self._tasks if task.is_failing]
