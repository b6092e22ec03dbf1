"""Many rooms on one stream: the fan-out for one list of rooms, and its streams.

A stream of many rooms has a cursor in each. It is live when all of them have reached the cursors that its `ManyRooms`
has sent up to, and catches up room by room otherwise: from the rings, or from log pages where those do not reach. There
is no queue here either. The frames are those of the single rooms; only their id is replaced by one that combines the
cursors in all rooms.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Protocol

from chatserver.live import sse
from chatserver.live.fanout import Fanout
from chatserver.live.feed import Feed
from chatserver.live.frames import framed
from chatserver.live.log_page import LogPage
from chatserver.live.merged_frames import Cursors, Merged, MergedFrames, Split, encoded_cursor
from chatserver.live.subscription import Subscription
from chatserver.model.cursor import Cursor


class Pace(Protocol):
    """Decides when there is a round, and caches the slices that its streams share."""

    def ask(self, many: ManyRooms) -> None: ...
    def forget(self) -> None: ...
    def cached(self, many: ManyRooms, cursors: Cursors, make: Callable[[], Merged]) -> Merged: ...


class ManyRooms(Fanout):
    """All streams here of one list of rooms. `sent`: the cursors of the live ones."""

    def __init__(self, feeds: Sequence[Feed], pace: Pace, on_deserted: Callable[[ManyRooms], None]) -> None:
        super().__init__(tuple(feed.room_id for feed in feeds))
        self.feeds = feeds
        self.sent: Cursors = tuple(feed.sent for feed in feeds)
        self._encoded_cursors = self._encoded(self.sent)
        self._pace = pace
        self._on_deserted = on_deserted
        self._news: set[int] = set()
        for index, feed in enumerate(feeds):
            feed.follow(self, index)
        self.is_closed = any(feed.is_closed for feed in feeds)  # one may be, since it was found
        self._see_the_end()

    def join(self, connection: socket.socket, cursors: Cursors, head: bytes = b"", *, chunked: bool) -> Subscription:
        """Adds a reader at the cursors. The subscription owns the socket from now on, and sends `head` first."""
        subscription = ManyRoomsSubscription(self, connection, cursors, head, chunked=chunked)
        self._begin(subscription)
        return subscription

    def leave(self, subscription: Subscription) -> None:
        super().leave(subscription)
        if self._is_empty():
            self._on_deserted(self)
            for feed in self.feeds:
                feed.unfollow(self)

    def on_round(self, index: int) -> None:
        """Notes that the feed at this index had a round, and asks for one here."""
        self._news.add(index)
        self._pace.ask(self)

    def send_news(self, split: Split) -> None:
        """Sends the events of all rooms since the last round, together, to all live sockets."""
        news, self._news = self._news, set()
        while any(self.sent[index] != self.feeds[index].sent for index in news):
            merged = MergedFrames(self._encoded_cursors, self.sent, split)
            for index in news:
                feed = self.feeds[index]
                if not merged.is_full and self.sent[index] != feed.sent:
                    if not feed.ring.covers(self.sent[index]):
                        self._let_them_catch_up()
                        break
                    merged.add(feed.room_id, index, feed.ring.walk(self.sent[index], feed.sent))
            else:
                data, self.sent = merged.result()
                self._send_to_live(data)
        self._heartbeat_at = self._next_heartbeat()
        self._resume_parked()
        self._see_the_end()
        if self.finished:
            for subscription in self._all_live():
                subscription.end(sse.DONE)

    def merge(self, cursors: Cursors) -> Merged:
        """Returns the frames behind the cursors, as far as the rings reach; the same cursors if there are none."""
        return self._pace.cached(self, cursors, lambda: self._merge(cursors))

    def redact(self, room_id: int, id: Cursor) -> None:
        """Removes the text of a message that was deleted in one of the rooms. The ring has done so already."""
        self._pace.forget()
        self.redact_unsent(room_id, id)

    def merge_page(self, cursors: Cursors, index: int, page: LogPage) -> Merged:
        """Returns the frames behind the cursor of one of the rooms, from a page of its log."""
        feed = self.feeds[index]
        merged = MergedFrames(self._encoded(cursors), cursors, {})
        merged.add(feed.room_id, index, page.walk(cursors[index], feed.sent))
        return merged.result()

    def next_behind(self, cursors: Cursors, after: int) -> int | None:
        """Returns the index of a room whose cursor is behind `sent`, in turn after `after`, since one may have to wait;
        None if there is none."""
        count = len(cursors)
        turn = ((after + 1 + step) % count for step in range(count))
        return next((index for index in turn if cursors[index] < self.sent[index]), None)

    def _merge(self, cursors: Cursors) -> Merged:
        merged = MergedFrames(self._encoded(cursors), cursors, {})
        for index, feed in enumerate(self.feeds):
            if cursors[index] < self.sent[index] and feed.ring.covers(cursors[index]) and not merged.is_full:
                merged.add(feed.room_id, index, feed.ring.walk(cursors[index], self.sent[index]))
        return merged.result()

    def _let_them_catch_up(self) -> None:
        """Makes the live streams catch up, because a ring does not reach back to them: it was cut, or forgot frames of
        a branch that may be lost."""
        cursors, live = self.sent, self._all_live()
        self.sent = tuple(feed.sent for feed in self.feeds)
        self._encoded_cursors = self._encoded(self.sent)
        for subscription in live:
            self.stop_live(subscription)
            assert isinstance(subscription, ManyRoomsSubscription)
            subscription.cursors = cursors
        for subscription in live:
            subscription.advance()

    def _see_the_end(self) -> None:
        self.finished = all(
            feed.finished and feed.sent == sent for feed, sent in zip(self.feeds, self.sent, strict=True)
        )

    def _encoded(self, cursors: Cursors) -> list[bytes]:
        return list(map(encoded_cursor, self.room_ids, cursors))


class ManyRoomsSubscription(Subscription):
    """A stream of many rooms. It keeps the start of the page that it is reading, and that page's room."""

    __slots__ = ("_page_of", "_page_start", "cursors", "many")

    def __init__(
        self, many: ManyRooms, connection: socket.socket, cursors: Cursors, head: bytes, *, chunked: bool
    ) -> None:
        super().__init__(many, connection, head, chunked=chunked)
        self.many = many
        self.cursors = cursors
        self._page_of = -1
        self._page_start: Cursor | None = None

    def take_page(self, page: LogPage) -> None:
        """Sends from the page, which belongs to the room and cursor that it was fetched for."""
        if self._take_from(page):
            self._page_start = page.start
            self.advance()
        else:
            # Neither store has the next event yet (it is being archived, or was lost). Wait; never skip it.
            self.many.park(self)

    def stop_in_the_midst(self, data: bytes, taken: int) -> None:
        self.cursors = self.many.sent
        super().stop_in_the_midst(data, taken)

    def _take_more(self) -> bool:
        many = self.many
        if self._page_start is not None:
            page = many.feeds[self._page_of].find_page(self._page_start, self.cursors[self._page_of])
            if page is not None and self._take_from(page):
                return True
            self._page_start = None
        if self.cursors == many.sent:
            if many.finished:
                self.end(sse.DONE)
            else:
                many.go_live(self)
            return False
        data, cursors = many.merge(self.cursors)
        if cursors != self.cursors:
            self.cursors = cursors
            self._hold(framed(data, self.chunked))
            return True
        behind = many.next_behind(cursors, self._page_of)
        if behind is None:
            # The reader's last process was ahead of this one. Nothing to send until the relay gets past that cursor.
            many.park(self)
        else:
            self._page_of = behind
            many.feeds[behind].fetch_page(self, cursors[behind])
        return False

    def _take_from(self, page: LogPage) -> bool:
        """Cuts the next slice. Returns False if there is none."""
        data, cursors = self.many.merge_page(self.cursors, self._page_of, page)
        if cursors == self.cursors:
            return False
        self.cursors = cursors
        self._hold(framed(data, self.chunked))
        return True
