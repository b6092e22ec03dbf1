"""The sweep: finishes the work of dead processes, and keeps the logs in Redis short.

Every process sweeps. Sweeping twice, or two sweeps at once, are harmless: archiving is idempotent.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterable

from chatserver.archive.publisher import Publisher
from chatserver.archive.trimming import Trimming
from chatserver.errors import Unavailable
from chatserver.log.room_log import RoomLog
from chatserver.model.event_id import EventId
from chatserver.support.background import Background, BackgroundTask

SWEEP_SECONDS = 2.0
"""Pause between two sweeps. An event is old when two of them saw it, whatever the clocks say: the process that appended
it has had the time to archive it."""

SWEEP_BATCH = 500
"""Events that are archived together."""

log = logging.getLogger(__name__)


class Sweep:
    def __init__(self, publisher: Publisher, room_log: RoomLog, trimming: Trimming) -> None:
        self._publisher = publisher
        self._log = room_log
        self._trimming = trimming
        self._seen: frozenset[EventId] = frozenset()
        self._task: BackgroundTask | None = None

    def start(self, background: Background) -> None:
        self._task = background.start("sweep", self._run)

    async def stop(self) -> None:
        if self._task is not None:
            await self._task.stop()

    async def sweep(self) -> int:
        """Archives all events that were pending at the last sweep already. Returns their number. Raises Unavailable."""
        pending = await self._log.pending()
        old = [event_id for event_id in pending if event_id in self._seen]
        for start in range(0, len(old), SWEEP_BATCH):
            finished = [self._publisher.archive_pending(event_id) for event_id in old[start : start + SWEEP_BATCH]]
            _raise_first(await asyncio.gather(*finished, return_exceptions=True))
        await self._log.flush_marks()  # so that finished events are not found again
        self._seen = frozenset(pending).difference(old)
        return len(old)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS * random.uniform(0.8, 1.2))
            try:
                finished = await self.sweep()
                if finished:
                    log.warning("archived %d events that nobody had finished", finished)
                await self._trimming.note_more()
                await self._trimming.trim()
            except Unavailable as error:
                log.warning("the sweep waits: %s", error.__cause__ or error)


def _raise_first(outcomes: Iterable[object]) -> None:
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
