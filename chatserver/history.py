"""History: what was said in a room, page by page, each message as it stands.

A page is exact at one moment of the log, its tip when the page was read: every change up to there is in it, and none
that came later. The archive is behind the log by what is on its way there, and `messages` is behind the archive by what
is being shown. So first the end of the log is read, which tells how far the archive was; then the messages, what
`messages` has of them, what the archive has behind that, and what the log has behind the archive.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from chatserver.archive import Archive
from chatserver.backlog import Backlog, End
from chatserver.changes import about, fold
from chatserver.cursor import BEGINNING, END, Cursor
from chatserver.errors import MessageNotFound, Unavailable
from chatserver.events import CHANGES, Event, Message
from chatserver.rooms import Room

PAGE_SIZE = 50
MAX_PAGE = 200


class Page(NamedTuple):
    """Messages oldest first. `cursor`: a stream from there goes on right behind the page; for a page that reaches the
    end that is the moment which it shows.

    `has_more`: there are others beyond the page's end, in the direction that was asked for; for a page around a message
    there are older ones, and `has_newer` says whether there are newer ones.
    """

    messages: list[Message]
    cursor: Cursor
    has_more: bool
    has_newer: bool = False


class History:
    """Everything raises Unavailable when what is wanted can't be read. While the archive is away that is all but what
    the stream has; it does not have the messages around one that was deleted."""

    def __init__(self, archive: Archive, backlog: Backlog) -> None:
        self._archive = archive
        self._backlog = backlog

    async def newest(self, room: Room, limit: int = PAGE_SIZE) -> Page:
        """The end of the room's talk. A stream from the page's cursor goes on exactly where the page ends."""
        end = await self._backlog.end(room.id)
        written = await self._before(room.id, END, limit + 1, end)
        return Page(await self._stand(room.id, written[-limit:], end), end.tip, has_more=len(written) > limit)

    async def before(self, room: Room, cursor: Cursor, limit: int) -> Page:
        end = await self._backlog.end(room.id)
        written = await self._before(room.id, cursor, limit + 1, end)
        last = written[-1].id if written else BEGINNING
        return Page(await self._stand(room.id, written[-limit:], end), last, has_more=len(written) > limit)

    async def after(self, room: Room, cursor: Cursor, limit: int) -> Page:
        end = await self._backlog.end(room.id)
        written = await self._after(room.id, cursor, limit + 1, end)
        has_more = len(written) > limit
        last = written[limit - 1].id if has_more else max(cursor, end.tip)
        return Page(await self._stand(room.id, written[:limit], end), last, has_more)

    async def around(self, room: Room, id: Cursor, limit: int) -> Page:
        """The message, as many before it as after it, and one more before it where that does not come out even.

        Raises MessageNotFound.
        """
        end = await self._backlog.end(room.id)
        message = await self._find(room.id, id, end)
        older_limit = limit // 2
        newer_limit = limit - 1 - older_limit
        older = await self._before(room.id, id, older_limit + 1, end)
        newer = await self._after(room.id, id, newer_limit + 1, end)
        has_newer = len(newer) > newer_limit
        written = [*older[max(0, len(older) - older_limit) :], message, *newer[:newer_limit]]
        last = written[-1].id if has_newer else end.tip
        return Page(await self._stand(room.id, written, end), last, len(older) > older_limit, has_newer)

    async def find(self, room: Room, id: Cursor) -> Message:
        """One message as it stands. Raises MessageNotFound."""
        end = await self._backlog.end(room.id)
        return (await self._stand(room.id, [await self._find(room.id, id, end)], end))[0]

    async def archived(self, event: Event) -> Message:
        """An archived message as it stands by what is archived, and can't be lost any more."""
        return (await self._stand(event.room_id, [event], End(END, [])))[0]

    # As it was written

    async def _before(self, room_id: int, cursor: Cursor, limit: int, end: End) -> list[Event]:
        behind = [event for event in end.behind if event.id < cursor]
        if end.archived is not None:
            return _in_order(await self._archive.messages_before(room_id, cursor, limit, until=end.archived), behind)
        written = _in_order([], behind)
        if len(written) < limit and not end.reaches(BEGINNING):
            raise Unavailable("the archive is not available right now, try again", retry_after=2)
        return written

    async def _after(self, room_id: int, cursor: Cursor, limit: int, end: End) -> list[Event]:
        behind = [event for event in end.behind if event.id > cursor]
        if end.archived is not None:
            archived = await self._archive.messages_after(room_id, cursor, limit, until=end.archived)
            return archived if len(archived) >= limit else _in_order(archived, behind)
        if not end.reaches(cursor):
            raise Unavailable("the archive is not available right now, try again", retry_after=2)
        return _in_order([], behind)

    async def _find(self, room_id: int, id: Cursor, end: End) -> Event:
        event = next((event for event in end.behind if event.id == id), None)
        if event is None and end.archived is not None:
            event = await self._archive.find(room_id, id)
        elif event is None and not end.reaches(BEGINNING):
            raise Unavailable("the archive is not available right now, try again", retry_after=2)
        if event is None or event.kind != "message":
            raise MessageNotFound
        return event

    # As it stands

    async def _stand(self, room_id: int, written: Sequence[Event], end: End) -> list[Message]:
        """What became of these messages until the end of the log."""
        archived = [event for event in written if end.archived is not None and event.id <= end.archived]
        shown = await self._archive.shown(room_id, [event.id for event in archived]) if archived else {}
        bases: dict[Cursor, Message] = {}
        applied: dict[Cursor, Cursor] = {}
        for event in written:
            known = shown.get(event.id)
            if known is not None and end.archived is not None and known.applied <= end.archived:
                bases[event.id], applied[event.id] = known
            else:
                # It is not shown yet; or as it stands by now, which is later than the page.
                bases[event.id], applied[event.id] = event.message(), BEGINNING
        changes: dict[Cursor, list[Event]] = {}
        if archived and end.archived is not None:
            behind = {event.id: applied[event.id] for event in archived}
            changes = await self._archive.changes(room_id, behind, until=end.archived)
        for event in end.behind:
            if event.kind in CHANGES and (id := about(event)) in bases:
                changes.setdefault(id, []).append(event)
        return [fold(message, changes.get(id, ())) for id, message in bases.items()]


def _in_order(archived: Sequence[Event], behind: Sequence[Event]) -> list[Event]:
    """The messages of both. What the log lost may come again under a new id before it is archived: of two in the log
    the newer counts, and what is archived counts for ever."""
    by_name = {(event.user_id, event.client_id): event for event in behind if event.kind == "message"}
    by_name |= {(event.user_id, event.client_id): event for event in archived}
    return sorted(by_name.values(), key=lambda event: event.id)
