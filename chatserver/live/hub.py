"""The hub: the feeds of this process, and the actions on all of their streams together."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence

from chatserver.live import sse
from chatserver.live.fanout import Fanout
from chatserver.live.feed import Feed
from chatserver.live.log_page import Pages
from chatserver.live.many_rooms import ManyRooms
from chatserver.live.shared_rounds import SharedRounds
from chatserver.support.background import Background, BackgroundTask

TICK_SECONDS = 1.0
"""Interval of the one timer for all streams, which sends heartbeats and closes stuck readers."""

STUCK_SECONDS = 15.0
"""A reader whose socket takes nothing for this long is closed; it resumes by its cursor."""

RETRY_MS = (1_000, 4_000)
"""Reconnect delay after a planned end, drawn for each reader, so that they do not come back at once."""

log = logging.getLogger(__name__)


class Hub:
    def __init__(self) -> None:
        self._feeds: dict[int, Feed] = {}
        self._many: dict[tuple[int, ...], ManyRooms] = {}
        self._rounds = SharedRounds()
        self.pages = Pages()
        self._ticker: BackgroundTask | None = None

    def start(self, background: Background) -> None:
        self._ticker = background.start("hub", self._tick_for_ever)

    async def stop(self) -> None:
        if self._ticker is not None:
            await self._ticker.stop()
        self._rounds.close()
        for many in list(self._many.values()):
            many.close()
        for feed in self.feeds():
            self.drop(feed)

    def find(self, room_id: int) -> Feed | None:
        return self._feeds.get(room_id)

    def feeds(self) -> list[Feed]:
        return list(self._feeds.values())

    def add(self, feed: Feed) -> None:
        self._feeds[feed.room_id] = feed

    def drop(self, feed: Feed) -> None:
        """Closes the room's remaining streams. They resume elsewhere, or here in a new feed."""
        self._feeds.pop(feed.room_id, None)
        feed.close()

    def many_rooms_for(self, feeds: Sequence[Feed]) -> ManyRooms:
        """Returns the fan-out of exactly these rooms, made if necessary. The caller's stream must join it at once."""
        room_ids = tuple(feed.room_id for feed in feeds)
        many = self._many.get(room_ids)
        if many is None:
            many = self._many[room_ids] = ManyRooms(feeds, self._rounds, self._forget)
        return many

    def broadcast(self, frame: bytes) -> None:
        """Sends a frame without an id to every live stream here, whatever it follows. It is not repeated later."""
        for fanout in self._fanouts():
            fanout.signal(frame)

    def idle_feeds(self) -> list[Feed]:
        now = asyncio.get_running_loop().time()
        return [feed for feed in self.feeds() if feed.is_idle(now)]

    async def drain(self, seconds: float) -> None:
        """Ends all streams, in random order, evenly over `seconds`, each with its own reconnect delay."""
        streams = [subscription for fanout in self._fanouts() for subscription in fanout.subscriptions()]
        random.shuffle(streams)
        started = asyncio.get_running_loop().time()
        for index, subscription in enumerate(streams):
            due = started + seconds * index / len(streams)
            if (pause := due - asyncio.get_running_loop().time()) > 0:
                await asyncio.sleep(pause)
            subscription.end(sse.retry(random.randint(*RETRY_MS)))

    async def _tick_for_ever(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = asyncio.get_running_loop().time()
            self.pages.expire()
            for fanout in self._fanouts():
                try:
                    fanout.tick(now, stuck_since=now - STUCK_SECONDS)
                except Exception as error:  # the streams of this one resume anew; the others must not wait for it
                    assert self._ticker is not None
                    self._ticker.failed(error)
                    fanout.close()

    def _fanouts(self) -> list[Fanout]:
        return [*self._feeds.values(), *self._many.values()]

    def _forget(self, many: ManyRooms) -> None:
        self._many.pop(many.room_ids, None)
