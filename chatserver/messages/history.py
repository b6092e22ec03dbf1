"""History: the messages of a room, page by page, each in its current form.

A page is exact at one moment of the log, its tip when the page was read: it contains every change up to there, and none
that came later. The archive is behind the log by the events on their way there, and `messages` is behind the archive by
those not projected yet. So first the end of the log is read, which tells how far the archive was; then the messages,
their rows in `messages`, later events in the archive, and those that only the log has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from chatserver.archive.backlog import Backlog, End
from chatserver.archive.events import Archive
from chatserver.errors import MessageNotFound, Unavailable
from chatserver.model.changes import about
from chatserver.model.cursor import BEGINNING, END, Cursor
from chatserver.model.event_kinds import apply_changes, kind_of
from chatserver.model.events import Event, Message
from chatserver.model.rooms import Room

PAGE_SIZE = 50
MAX_PAGE = 200

PAGE_BYTES = 512 * 1024
"""Total size of a page's messages as JSON. A larger message is a page of its own."""

LOOKUP_BATCH_MESSAGES = 50
"""Messages of a page that are looked up together. Those that no longer fit are not looked up."""

_encoder = msgspec.json.Encoder()


class MessagePage(NamedTuple):
    """Messages oldest first, as many as were asked for and fit into PAGE_BYTES; `encoded`: each as JSON. `cursor`: a
    stream from there continues right behind the page; for a page that reaches the end it is the moment that the page
    shows. `has_more`: there are others beyond the page's end, in the requested direction; for a page around a message
    there are older ones, and `has_newer` tells of newer ones."""

    messages: list[Message]
    cursor: Cursor
    has_more: bool
    has_newer: bool = False
    encoded: Sequence[bytes] = ()


class _Part(NamedTuple):
    """Consecutive messages in their current form; and each as JSON."""

    messages: list[Message]
    encoded: list[bytes]

    def fill(self, messages: Iterable[Message], room: int, least: int) -> int:
        """Adds messages until the next one does not fit into `room` bytes, but at least `least`. Returns the bytes
        left, less than 0 if one did not fit."""
        for message in messages:
            text = _encoder.encode(message)
            room -= len(text)
            if room < 0 and len(self.messages) >= least:
                break
            self.messages.append(message)
            self.encoded.append(text)
        return room


class History:
    """Everything raises Unavailable if it can't be read. While the archive is away only the stream's content can be
    read, and nothing around a deleted message."""

    def __init__(self, archive: Archive, backlog: Backlog) -> None:
        self._archive = archive
        self._backlog = backlog

    async def newest(self, room: Room, limit: int = PAGE_SIZE) -> MessagePage:
        """Returns the newest page. A stream from its cursor continues exactly at its end."""
        end = await self._backlog.end(room.id)
        written = await self._before(room.id, END, limit + 1, end)
        messages, encoded = await self._newest_that_fit(room.id, written[-limit:], end)
        return MessagePage(messages, end.tip, has_more=len(written) > len(messages), encoded=encoded)

    async def before(self, room: Room, cursor: Cursor, limit: int) -> MessagePage:
        end = await self._backlog.end(room.id)
        written = await self._before(room.id, cursor, limit + 1, end)
        last = written[-1].id if written else BEGINNING
        messages, encoded = await self._newest_that_fit(room.id, written[-limit:], end)
        return MessagePage(messages, last, has_more=len(written) > len(messages), encoded=encoded)

    async def after(self, room: Room, cursor: Cursor, limit: int) -> MessagePage:
        end = await self._backlog.end(room.id)
        written = await self._after(room.id, cursor, limit + 1, end)
        messages, encoded = await self._oldest_that_fit(room.id, written[:limit], end)
        has_more = len(written) > len(messages)
        last = written[len(messages) - 1].id if has_more else max(cursor, end.tip)
        return MessagePage(messages, last, has_more, encoded=encoded)

    async def around(self, room: Room, id: Cursor, limit: int) -> MessagePage:
        """Returns the message with as many before it as after it, plus one more before it if the number is uneven.

        Raises MessageNotFound.
        """
        end = await self._backlog.end(room.id)
        message = await self._find(room.id, id, end)
        older_limit = limit // 2
        newer_limit = limit - 1 - older_limit
        older = await self._before(room.id, id, older_limit + 1, end)
        newer = await self._after(room.id, id, newer_limit + 1, end)
        middle = await self._newest_that_fit(room.id, [message], end)
        # Each side has its half: long messages on one side take nothing from the other.
        half = (PAGE_BYTES - len(middle.encoded[0])) // 2
        in_front = await self._newest_that_fit(room.id, older[max(0, len(older) - older_limit) :], end, half, least=0)
        behind = await self._oldest_that_fit(room.id, newer[:newer_limit], end, half, least=0)
        has_newer = len(newer) > len(behind.messages)
        last = end.tip
        if has_newer:
            last = newer[len(behind.messages) - 1].id if behind.messages else id
        messages = [*in_front.messages, *middle.messages, *behind.messages]
        encoded = [*in_front.encoded, *middle.encoded, *behind.encoded]
        return MessagePage(messages, last, len(older) > len(in_front.messages), has_newer, encoded)

    async def find(self, room: Room, id: Cursor) -> Message:
        """Returns one message in its current form. Raises MessageNotFound."""
        end = await self._backlog.end(room.id)
        return (await self._stand(room.id, [await self._find(room.id, id, end)], end))[0]

    async def archived(self, event: Event) -> Message:
        """Returns a message in its form by archived events, which can't be lost any more."""
        return (await self._stand(event.room_id, [event], End(END, [])))[0]

    # As they were written

    async def _before(self, room_id: int, cursor: Cursor, limit: int, end: End) -> list[Event]:
        behind = [event for event in end.behind if event.id < cursor]
        if end.archived is not None:
            return _in_order(await self._archive.messages_before(room_id, cursor, limit, until=end.archived), behind)
        written = _in_order([], behind)
        if len(written) < limit and not end.reaches(BEGINNING):
            raise Unavailable(because="the archive is not available", retry_after=2)
        return written

    async def _after(self, room_id: int, cursor: Cursor, limit: int, end: End) -> list[Event]:
        behind = [event for event in end.behind if event.id > cursor]
        if end.archived is not None:
            archived = await self._archive.messages_after(room_id, cursor, limit, until=end.archived)
            return archived if len(archived) >= limit else _in_order(archived, behind)
        if not end.reaches(cursor):
            raise Unavailable(because="the archive is not available", retry_after=2)
        return _in_order([], behind)

    async def _find(self, room_id: int, id: Cursor, end: End) -> Event:
        event = next((event for event in end.behind if event.id == id), None)
        if event is None and end.archived is not None:
            event = await self._archive.find(room_id, id)
        elif event is None and not end.reaches(BEGINNING):
            raise Unavailable(because="the archive is not available", retry_after=2)
        if event is None or not kind_of(event).is_message:
            raise MessageNotFound
        return event

    # In their current form

    async def _newest_that_fit(
        self, room_id: int, written: Sequence[Event], end: End, room: int | None = None, *, least: int = 1
    ) -> _Part:
        """Returns the last of these messages, as many as fit into `room` bytes, but at least `least`."""
        part, room = _Part([], []), PAGE_BYTES if room is None else room
        for stop in range(len(written), 0, -LOOKUP_BATCH_MESSAGES):
            some = await self._stand(room_id, written[max(0, stop - LOOKUP_BATCH_MESSAGES) : stop], end)
            room = part.fill(reversed(some), room, least)
            if room < 0:
                break
        return _Part(part.messages[::-1], part.encoded[::-1])

    async def _oldest_that_fit(
        self, room_id: int, written: Sequence[Event], end: End, room: int | None = None, *, least: int = 1
    ) -> _Part:
        """The same for the first of them."""
        part, room = _Part([], []), PAGE_BYTES if room is None else room
        for start in range(0, len(written), LOOKUP_BATCH_MESSAGES):
            room = part.fill(
                await self._stand(room_id, written[start : start + LOOKUP_BATCH_MESSAGES], end), room, least
            )
            if room < 0:
                break
        return part

    async def _stand(self, room_id: int, written: Sequence[Event], end: End) -> list[Message]:
        """Applies to these messages all changes up to the end of the log."""
        archived = [event for event in written if end.archived is not None and event.id <= end.archived]
        shown = await self._archive.shown(room_id, [event.id for event in archived]) if archived else {}
        bases: dict[Cursor, Message] = {}
        applied: dict[Cursor, Cursor] = {}
        for event in written:
            known = shown.get(event.id)
            if known is not None and end.archived is not None and known.applied <= end.archived:
                bases[event.id], applied[event.id] = known
            else:
                # It is not projected yet; or `messages` has a form that is later than the page.
                bases[event.id], applied[event.id] = event.message(), BEGINNING
        changes: dict[Cursor, list[Event]] = {}
        if archived and end.archived is not None:
            behind = {event.id: applied[event.id] for event in archived}
            changes = await self._archive.changes(room_id, behind, until=end.archived)
        for event in end.behind:
            if kind_of(event).is_change and (id := about(event)) in bases:
                changes.setdefault(id, []).append(event)
        return [apply_changes(message, changes.get(id, ())) for id, message in bases.items()]


def _in_order(archived: Sequence[Event], behind: Sequence[Event]) -> list[Event]:
    """Merges the messages of both, in order. A message that the log lost may come again under a new id before it is
    archived: of two in the log the newer counts, and an archived one always wins."""
    by_name = {(event.user_id, event.client_id): event for event in behind if kind_of(event).is_message}
    by_name |= {(event.user_id, event.client_id): event for event in archived}
    return sorted(by_name.values(), key=lambda event: event.id)
