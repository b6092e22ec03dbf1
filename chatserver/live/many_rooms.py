"""Many rooms on one stream: the streams that follow the same list of rooms, and one of those.

A stream of many rooms has a place in each. It is live when it stands where its `ManyRooms` have sent everything of all
of them, and catches up room by room otherwise: from the rings, or from pages of the log where those do not reach. There
is no queue here either. The frames are those of the single rooms; only their id is replaced by one that names the
places in all rooms.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from chatserver.live import sse
from chatserver.live.fanout import Fanout
from chatserver.live.feed import Feed
from chatserver.live.frames import SLICE_BYTES, Place, framed
from chatserver.live.log_page import Page
from chatserver.live.subscription import Subscription
from chatserver.model.cursor import Cursor

Places = tuple[Cursor, ...]
"""One for each room, in the order of the rooms."""

Parts = tuple[bytes, bytes]
"""Of a room's frame: `<room>.<id>`, and what stands behind the line of the id."""

Woven = tuple[bytes, Places]
"""Bytes that bring a reader to these places."""

Split = dict[int, dict[bytes, Parts]]
"""By room and frame: two rooms may be closed by the same bytes."""


class Pace(Protocol):
    """When there is a round, and what all streams have from it together."""

    def ask(self, many: ManyRooms) -> None: ...
    def forget(self) -> None: ...
    def kept(self, many: ManyRooms, places: Places, make: Callable[[], Woven]) -> Woven: ...


class Weave:
    """Puts frames of several rooms behind one another, each with the places in all rooms as its id."""

    __slots__ = ("_frames", "_names", "_split", "is_full", "places", "size")

    def __init__(self, names: list[bytes], places: Iterable[Cursor], split: Split) -> None:
        """`names`: of the places, is changed with them. `split`: frames that were split already."""
        self._names = names
        self._split = split
        self._frames: list[bytes] = []
        self.places = list(places)
        self.size = 0
        self.is_full = False

    def add(self, room_id: int, index: int, frames: Iterable[Place]) -> None:
        """Takes of the room's frames what there is room for."""
        split = self._split.setdefault(room_id, {})
        for id, frame in frames:
            self.places[index] = id
            if frame:
                parts = split.get(frame)
                if parts is None:
                    id_bytes, rest = sse.without_id(frame, room_id)
                    parts = split[frame] = b"%d.%b" % (room_id, id_bytes), b"\n" + rest
                self._names[index] = parts[0]
                name = b"_".join(self._names)
                self._frames += (b"id: ", name, parts[1])
                self.size += len(name) + len(frame)
                if self.size >= SLICE_BYTES:
                    self.is_full = True
                    return
            else:
                self._names[index] = named(room_id, id)

    def woven(self) -> Woven:
        return b"".join(self._frames), tuple(self.places)


class ManyRooms(Fanout):
    """All streams here of one list of rooms. `sent` is where the live ones stand."""

    def __init__(self, feeds: Sequence[Feed], pace: Pace, on_deserted: Callable[[ManyRooms], None]) -> None:
        super().__init__(tuple(feed.room_id for feed in feeds))
        self.feeds = feeds
        self.sent: Places = tuple(feed.sent for feed in feeds)
        self._names = self._named(self.sent)
        self._pace = pace
        self._on_deserted = on_deserted
        self._news: set[int] = set()
        for index, feed in enumerate(feeds):
            feed.follow(self, index)
        self.is_closed = any(feed.is_closed for feed in feeds)  # one may be, since it was found
        self._see_the_end()

    def join(self, connection: socket.socket, places: Places, *, chunked: bool) -> Subscription:
        """A new reader, standing there. The socket is the subscription's own from now on."""
        subscription = ManyRoomsSubscription(self, connection, places, chunked=chunked)
        self._begin(subscription)
        return subscription

    def leave(self, subscription: Subscription) -> None:
        super().leave(subscription)
        if self._is_empty():
            self._on_deserted(self)
            for feed in self.feeds:
                feed.unfollow(self)

    def hear(self, index: int) -> None:
        """This room's feed had a round."""
        self._news.add(index)
        self._pace.ask(self)

    def send_news(self, split: Split) -> None:
        """Sends everything that came since the last round, of all rooms together, to all live sockets."""
        news, self._news = self._news, set()
        while any(self.sent[index] != self.feeds[index].sent for index in news):
            weave = Weave(self._names, self.sent, split)
            for index in news:
                feed = self.feeds[index]
                if not weave.is_full and self.sent[index] != feed.sent:
                    if not feed.ring.covers(self.sent[index]):
                        self._let_them_catch_up()
                        break
                    weave.add(feed.room_id, index, feed.ring.walk(self.sent[index], feed.sent))
            else:
                data, self.sent = weave.woven()
                self._send_to_live(data)
        self._heartbeat_at = self._next_heartbeat()
        self._call_the_ahead()
        self._see_the_end()
        if self.finished:
            for subscription in self._all_live():
                subscription.end(sse.DONE)

    def weave(self, places: Places) -> Woven:
        """What follows these places, as far as the rings reach: the same places if that is nothing."""
        return self._pace.kept(self, places, lambda: self._weave(places))

    def redact(self, room_id: int, id: Cursor) -> None:
        """A message was deleted in one of the rooms. The ring knows."""
        self._pace.forget()
        self.redact_unsent(room_id, id)

    def weave_page(self, places: Places, index: int, page: Page) -> Woven:
        """What follows in one of the rooms by a page of its log."""
        feed = self.feeds[index]
        weave = Weave(self._named(places), places, {})
        weave.add(feed.room_id, index, page.walk(places[index], feed.sent))
        return weave.woven()

    def next_behind(self, places: Places, after: int) -> int | None:
        """A room of which more was sent than these places say: the next in turn, since one may have to wait."""
        count = len(places)
        turn = ((after + 1 + step) % count for step in range(count))
        return next((index for index in turn if places[index] < self.sent[index]), None)

    def _weave(self, places: Places) -> Woven:
        weave = Weave(self._named(places), places, {})
        for index, feed in enumerate(self.feeds):
            if places[index] < self.sent[index] and feed.ring.covers(places[index]) and not weave.is_full:
                weave.add(feed.room_id, index, feed.ring.walk(places[index], self.sent[index]))
        return weave.woven()

    def _let_them_catch_up(self) -> None:
        """A ring does not reach back to where the live ones stand: it was cut, or what it had may have been lost."""
        places, live = self.sent, self._all_live()
        self.sent = tuple(feed.sent for feed in self.feeds)
        self._names = self._named(self.sent)
        for subscription in live:
            self.withdraw(subscription)
            assert isinstance(subscription, ManyRoomsSubscription)
            subscription.places = places
        for subscription in live:
            subscription.advance()

    def _see_the_end(self) -> None:
        self.finished = all(
            feed.finished and feed.sent == sent for feed, sent in zip(self.feeds, self.sent, strict=True)
        )

    def _named(self, places: Places) -> list[bytes]:
        return list(map(named, self.room_ids, places))


class ManyRoomsSubscription(Subscription):
    """A stream of many rooms. Of the page of one room's log that it is in it knows the beginning."""

    __slots__ = ("_page_of", "_page_start", "many", "places")

    def __init__(self, many: ManyRooms, connection: socket.socket, places: Places, *, chunked: bool) -> None:
        super().__init__(many, connection, chunked=chunked)
        self.many = many
        self.places = places
        self._page_of = -1
        self._page_start: Cursor | None = None

    def take_page(self, page: Page) -> None:
        """Of the room and behind the place for which it was fetched."""
        if self._take_from(page):
            self._page_start = page.start
            self.advance()
        else:
            # What was told to others is in neither store: it is being archived, or it is lost. Never passed over.
            self.many.await_round(self)

    def fall_behind(self, data: bytes, taken: int) -> None:
        self.places = self.many.sent
        super().fall_behind(data, taken)

    def _take_more(self) -> bool:
        many = self.many
        if self._page_start is not None:
            page = many.feeds[self._page_of].find_page(self._page_start, self.places[self._page_of])
            if page is not None and self._take_from(page):
                return True
            self._page_start = None
        if self.places == many.sent:
            if many.finished:
                self.end(sse.DONE)
            else:
                many.go_live(self)
            return False
        data, places = many.weave(self.places)
        if places != self.places:
            self.places = places
            self._hold(framed(data, self.chunked))
            return True
        behind = many.next_behind(places, self._page_of)
        if behind is None:
            # The process it came from was ahead of this one. Until the relay comes past there is nothing to send.
            many.await_round(self)
        else:
            self._page_of = behind
            many.feeds[behind].fetch_page(self, places[behind])
        return False

    def _take_from(self, page: Page) -> bool:
        """Cuts the next slice. False if there is none."""
        data, places = self.many.weave_page(self.places, self._page_of, page)
        if places == self.places:
            return False
        self.places = places
        self._hold(framed(data, self.chunked))
        return True


def named(room_id: int, cursor: Cursor) -> bytes:
    return b"%d.%d-%d" % (room_id, *cursor)
