"""The open streams of this process: their sessions, their limits, and their age."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

from cachetools import TTLCache

from chatserver.accounts.sessions import Session, Sessions
from chatserver.errors import Unavailable
from chatserver.live import sse
from chatserver.live.subscription import Subscription
from chatserver.live.viewers import Viewers
from chatserver.model.users import User
from chatserver.support.background import Background, BackgroundTask

MAX_AGE_SECONDS = 3600.0
"""A stream is ended after about this time, ± 10 %, and resumed, so that an unnoticed fault does not last."""

LOOK_SECONDS = 10.0
"""How often the sessions of all streams are looked up, in case the message that one ended got lost."""

LOOK_UP_AT_ONCE = 1_000

COME_BACK_MS = (1_000, 4_000)

A_SECOND = 10
"""Streams reopened per second to follow a new room. Each takes some 20 ms where they follow many rooms, and nothing is
lost meanwhile."""

LEAST_MS = 500
MOST_MS = 600_000

ENDED_LATELY = 10_000
ENDED_LATELY_SECONDS = 60.0
"""A session may end while a stream is being opened with it: its end is remembered for longer than that takes."""

Key = TypeVar("Key", bound=Hashable)

OnStream = Callable[[User, Sequence[int]], None]
"""Called with the stream's user, and the ids of the rooms that it has on a screen."""

log = logging.getLogger(__name__)


class OpenStream(NamedTuple):
    """`here`: ids of the rooms that the stream has on a screen. `until`: its end, in seconds of the loop's clock."""

    session: Session
    here: Sequence[int]
    until: float


class Reservation:
    """Counts one stream that is being opened with a session. See `OpenStreams.reserve`."""

    def __init__(self, open_streams: OpenStreams, session: Session) -> None:
        self._open_streams = open_streams
        self._session = session
        self.is_registered = False

    def register(self, subscription: Subscription, here: Sequence[int]) -> None:
        """Registers the open stream, which keeps the reservation until it is closed. It is ended with its session, and
        after MAX_AGE_SECONDS.

        `here`: ids of the rooms that its reader has on a screen; those that the stream does not follow are ignored.
        """
        self.is_registered = True
        self._open_streams._register(subscription, self._session, here)


class OpenStreams:
    """All open streams, by session and user. `in_all`, `per_user`: most streams that may be open here."""

    def __init__(self, sessions: Sessions, *, in_all: int, per_user: int) -> None:
        self._sessions = sessions
        self._in_all = in_all
        self._per_user = per_user
        self._streams: dict[Subscription, OpenStream] = {}
        self._by_session: dict[str, set[Subscription]] = {}
        self._by_user: dict[int, set[Subscription]] = {}
        # Streams that are being opened, by user. They count too: when all readers come at once, most are in here.
        self._opening: Counter[int] = Counter()
        self._opening_in_all = 0
        self._viewers = Viewers()
        self._on_opened: list[OnStream] = []
        self._on_closed: list[OnStream] = []
        self._ended_lately: TTLCache[str, bool] = TTLCache(ENDED_LATELY, ENDED_LATELY_SECONDS)
        self._task: BackgroundTask | None = None
        sessions.on_end(self._end_session)

    def __len__(self) -> int:
        return len(self._streams)

    def start(self, background: Background) -> None:
        self._task = background.start("audience", self._look_for_ever)

    async def stop(self) -> None:
        if self._task is not None:
            await self._task.stop()

    @contextmanager
    def reserve(self, session: Session) -> Iterator[Reservation | None]:
        """Makes a reservation for a stream, before anything is awaited. It is released on exit, unless a stream was
        registered. Yields None if `in_all` or the user's `per_user` are taken."""
        user_id = session.user.id
        of_user = len(self._by_user.get(user_id, ())) + self._opening[user_id]
        if len(self._streams) + self._opening_in_all >= self._in_all or of_user >= self._per_user:
            yield None
            return
        self._opening_in_all += 1
        self._opening[user_id] += 1
        reservation = Reservation(self, session)
        try:
            yield reservation
        finally:
            if not reservation.is_registered:
                self._release(user_id)

    @property
    def one_after_the_other_ms(self) -> int:
        """Milliseconds over which all readers here spread an action that they would otherwise take at once."""
        return min(max(round(len(self._streams) * 1_000 / A_SECOND), LEAST_MS), MOST_MS)

    def on_opened(self, opened: OnStream) -> None:
        """Registers a callback for each stream that was registered."""
        self._on_opened.append(opened)

    def on_closed(self, closed: OnStream) -> None:
        """Registers a callback for each of these streams that is closed, in whatever way: once, with the same rooms."""
        self._on_closed.append(closed)

    def send_to(self, user_id: int, room_id: int, frame: bytes) -> None:
        """Sends a frame without an id to the user's own live streams here that follow the room."""
        for subscription in list(self._by_user.get(user_id, ())):
            if room_id in subscription.source.room_ids:
                subscription.source.send_to((subscription,), frame)

    def signal(self, room_id: int, frame: bytes) -> None:
        """Sends a frame without an id to every live stream here that has the room on a screen."""
        self._viewers.signal(room_id, frame)

    def _register(self, subscription: Subscription, session: Session, here: Sequence[int]) -> None:
        self._release(session.user.id)
        if subscription.closed:
            return
        until = asyncio.get_running_loop().time() + MAX_AGE_SECONDS * random.uniform(0.9, 1.1)
        room_ids = subscription.source.room_ids
        here = room_ids if here == room_ids else tuple(room_id for room_id in room_ids if room_id in here)
        self._streams[subscription] = OpenStream(session, here, until)
        self._by_session.setdefault(session.key, set()).add(subscription)
        self._by_user.setdefault(session.user.id, set()).add(subscription)
        self._viewers.add(subscription, here)
        subscription.on_close = self._unregister
        for opened in self._on_opened:
            opened(session.user, here)
        if session.key in self._ended_lately:
            subscription.revoke()

    def _release(self, user_id: int) -> None:
        """Releases one reservation of the user."""
        self._opening_in_all -= 1
        self._opening[user_id] -= 1
        if not self._opening[user_id]:
            del self._opening[user_id]

    def _unregister(self, subscription: Subscription) -> None:
        session, here, _ = self._streams.pop(subscription)
        _take_out(self._by_session, session.key, subscription)
        _take_out(self._by_user, session.user.id, subscription)
        self._viewers.remove(subscription, here)
        for closed in self._on_closed:
            closed(session.user, here)

    def _end_session(self, key: str) -> None:
        self._ended_lately[key] = True
        for subscription in list(self._by_session.get(key, ())):
            subscription.revoke()

    async def _look_for_ever(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self._end_the_old()
            try:
                await self._end_the_signed_out()
            except Unavailable as error:
                log.warning("sessions can't be looked up: %s", error.__cause__ or error)

    def _end_the_old(self) -> None:
        now = asyncio.get_running_loop().time()
        for subscription in [each for each, stream in self._streams.items() if stream.until < now]:
            subscription.end(sse.retry(random.randint(*COME_BACK_MS)))

    async def _end_the_signed_out(self) -> None:
        keys = list(self._by_session)
        for start in range(0, len(keys), LOOK_UP_AT_ONCE):
            some = keys[start : start + LOOK_UP_AT_ONCE]
            for key in set(some) - await self._sessions.still_open(some):
                self._end_session(key)


def _take_out(streams: dict[Key, set[Subscription]], key: Key, subscription: Subscription) -> None:
    streams[key].discard(subscription)
    if not streams[key]:
        del streams[key]
