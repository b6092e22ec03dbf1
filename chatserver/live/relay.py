"""The relay: carries events from the log to the hub, in one task for all rooms of this process.

This process's own events go to the hub at once, if they link to its tip. Wake-ups announce all others. Rooms with news
are read together, each behind the tip of its ring. The events read must link to that tip by `prev`; if they do not, the
stream has lost something, and the room is read again from archive and stream together. Wake-ups may be lost, so all
rooms are read every few seconds as well; after every break of the connection from the archive too, because a failover
may have dropped acknowledged events.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Mapping
from itertools import groupby

from chatserver.archive.backlog import Backlog, contiguous_tail, is_linked
from chatserver.errors import Unavailable
from chatserver.live.feed import Feed
from chatserver.live.hub import Hub
from chatserver.live.ring import KEEP_FRAMES, Ring
from chatserver.log.room_log import RoomLog
from chatserver.log.wakeups import Wakeups
from chatserver.model.changes import about
from chatserver.model.cursor import BEGINNING, END, Cursor
from chatserver.model.event_kinds import kind_of
from chatserver.model.events import Event
from chatserver.support import tasks
from chatserver.support.background import Background, BackgroundTask

READ_BATCH = 500
"""Events of one room that are read at once; a room that has more is read again right after the others."""

SWEEP_SECONDS = 5.0
"""How often all rooms are read without a wake-up: the longest that a lost one can delay a message."""

OWN_APPEND_SECONDS = 0.005
"""Delay before reading a room that this process is appending to itself: its own reply usually makes the read
unnecessary."""

BACKOFF_SECONDS = (0.1, 0.5)
"""Pauses between attempts to read, while the stores do not answer: the first and the longest."""

RETRY_SECONDS = 1.0

log = logging.getLogger(__name__)


class Relay:
    def __init__(self, wakeups: Wakeups, room_log: RoomLog, backlog: Backlog, hub: Hub) -> None:
        self._log = room_log
        self._backlog = backlog
        self._hub = hub
        self._wakeups = wakeups
        self._opening: dict[int, asyncio.Task[Feed]] = {}
        # The rooms that have news, and up to which id; END if unknown.
        self._news: dict[int, Cursor] = {}
        self._suspect: set[int] = set()
        self._has_news = asyncio.Event()
        self._reading: BackgroundTask | None = None
        self._sweeping: BackgroundTask | None = None

    def start(self, background: Background) -> None:
        self._log.own_news.subscribe(self._on_own_news)
        self._wakeups.start(background, on_news=self._on_news, on_return=self._wake_all_deeply)
        self._reading = background.start("relay", self._run)
        self._sweeping = background.start("relay's sweep", self._sweep)

    async def stop(self) -> None:
        for part in (self._reading, self._sweeping):
            if part is not None:
                await part.stop()
        await tasks.stop(self._opening.values())
        await self._wakeups.stop()

    def wake(self, room_id: int, until: Cursor = END, *, in_archive: bool = False) -> None:
        """Schedules a read of the room. `until`: the newest id known. `in_archive`: the stream may lack some events."""
        if in_archive:
            self._suspect.add(room_id)
        self._news[room_id] = max(until, self._news.get(room_id, BEGINNING))
        self._has_news.set()

    def _on_news(self, room_id: int, id: Cursor | None) -> None:
        if id is None:
            self.wake(room_id, in_archive=True)
        elif self._log.is_appending(room_id):
            # The wake-up is most likely for that append, whose answer comes right behind it.
            asyncio.get_running_loop().call_later(OWN_APPEND_SECONDS, self.wake, room_id, id)
        else:
            self.wake(room_id, until=id)

    def _on_own_news(self, events: list[Event]) -> None:
        """Hands this process's own events on without reading them, if they link to the tip. Deleted text is removed in
        any case, because the answer will say that it is gone."""
        for room_id, appended in groupby(sorted(events, key=_room), key=_room):
            feed, new = self._hub.find(room_id), list(appended)
            if feed is None:
                continue
            try:
                if room_id not in self._suspect and is_linked(feed.ring.tip, new):
                    feed.receive(new)
                else:
                    for event in new:
                        if kind_of(event).deletes:
                            feed.redact(about(event))
            except Exception:  # the events are in the log: the room's streams resume, and read them there
                log.exception("news of room %d can't be handed on", room_id)
                feed.close()

    async def follow(self, room_id: int) -> Feed:
        """Returns the room's feed, opened if necessary. Raises Unavailable."""
        feed = self._hub.find(room_id)
        if feed is None or feed.is_closed:
            opening = self._opening.get(room_id)
            if opening is None:
                opening = self._opening[room_id] = asyncio.create_task(self._open(room_id))
                opening.add_done_callback(lambda _: self._opening.pop(room_id, None))
            feed = await asyncio.shield(opening)
        feed.keep_alive()
        return feed

    async def _open(self, room_id: int) -> Feed:
        # Subscribe first, then read the end of the log: an event in between is seen twice, not never.
        await self._wakeups.watch(room_id)
        try:
            events = contiguous_tail(await self._backlog.before(room_id, END, KEEP_FRAMES))
            ring = Ring(events[0].prev if events else BEGINNING)
            ring.push(events)
        except BaseException:
            await self._wakeups.forget(room_id)
            raise
        feed = Feed(room_id, ring, self._backlog.after, self._hub.pages)
        feed.finished = bool(events) and kind_of(events[-1]).ends_log
        self._hub.add(feed)
        self.wake(room_id)
        return feed

    async def _run(self) -> None:
        self._wake_all_deeply()  # after a failure: the rooms that were being read then
        backoff = BACKOFF_SECONDS[0]
        while True:
            await self._has_news.wait()
            self._has_news.clear()
            news, self._news = self._news, {}
            try:
                await self._read(news)
                backoff = BACKOFF_SECONDS[0]
            except Unavailable as error:
                log.warning("the relay waits for the log: %s", error.__cause__ or error)
                for room_id, until in news.items():
                    self.wake(room_id, until)
                await asyncio.sleep(random.uniform(0, backoff))
                backoff = min(backoff * 2, BACKOFF_SECONDS[1])

    async def _read(self, news: Mapping[int, Cursor]) -> None:
        tips = {
            room_id: feed.ring.tip
            for room_id, until in news.items()
            if (feed := self._hub.find(room_id)) and (feed.ring.tip < until or room_id in self._suspect)
        }
        found = await self._log.after_each(tips, READ_BATCH) if tips else {}
        for room_id, tip in tips.items():
            try:
                await self._take(room_id, tip, found.get(room_id, []))
            except Exception as error:  # the room's streams resume anew; the other rooms must not wait for it
                assert self._reading is not None
                self._reading.failed(error)
                await self._let_go(room_id)

    async def _take(self, room_id: int, tip: Cursor, events: list[Event]) -> None:
        """Hands on the events read behind the room's tip, or reads them again if they do not link to it."""
        is_mended = room_id in self._suspect or not is_linked(tip, events)
        if is_mended:
            self._suspect.add(room_id)
            try:
                events = await self._backlog.after(room_id, tip, READ_BATCH)
            except Unavailable:
                # The archive is away. This room waits for it; the others must not.
                asyncio.get_running_loop().call_later(RETRY_SECONDS, self.wake, room_id)
                return
            self._suspect.discard(room_id)
        feed = self._hub.find(room_id)
        if feed is not None and feed.ring.tip != tip:
            # Events of this process came in between; there may be others behind them.
            self.wake(room_id, in_archive=is_mended)
            return
        if feed is not None:
            if is_mended:
                feed.forget()
            feed.receive(events)
        if len(events) >= READ_BATCH:
            self.wake(room_id)

    async def _let_go(self, room_id: int) -> None:
        self._suspect.discard(room_id)
        feed = self._hub.find(room_id)
        if feed is not None:
            self._hub.drop(feed)
        await self._wakeups.forget(room_id)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS * random.uniform(0.8, 1.2))
            for feed in self._hub.idle_feeds():
                await self._let_go(feed.room_id)
            for feed in self._hub.feeds():
                self.wake(feed.room_id)

    def _wake_all_deeply(self) -> None:
        for feed in self._hub.feeds():
            self.wake(feed.room_id, in_archive=True)


def _room(event: Event) -> int:
    return event.room_id
