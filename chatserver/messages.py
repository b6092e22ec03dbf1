"""Messages: what people write in rooms."""

from __future__ import annotations

import re
import secrets
from typing import NamedTuple

from chatserver.accounts import User
from chatserver.archiver import Archiver, LogEnded
from chatserver.backlog import Backlog
from chatserver.cursor import BEGINNING, END, Cursor
from chatserver.errors import Invalid, Malformed
from chatserver.events import Body, Event, Message, draft_message, timestamp
from chatserver.rooms import Room, RoomClosed, Rooms

MAX_CONTENT = 2_000
"""Code points, after trimming."""

PAGE_SIZE = 50
MAX_PAGE = 200

_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


class Posted(NamedTuple):
    """`repeated`: the client id was known, and `event` is the one that was posted under it first."""

    event: Event
    repeated: bool


class Page(NamedTuple):
    """Messages oldest first. `cursor`: the place in the log that the page reflects.
    `has_more`: there are others beyond the page's end, in the direction that was asked for."""

    messages: list[Message]
    cursor: Cursor
    has_more: bool


class Messages:
    def __init__(self, rooms: Rooms, archiver: Archiver, backlog: Backlog) -> None:
        self._rooms = rooms
        self._archiver = archiver
        self._backlog = backlog

    async def post(self, author: User, room_id: int, content: str, client_id: str | None) -> Posted:
        """Raises Malformed, Invalid, RoomNotFound, or Unavailable: then nothing is promised, and the client repeats
        with the same client id."""
        content = content.strip()
        if not content:
            raise Malformed("room_id and content required")
        if len(content) > MAX_CONTENT:
            raise Invalid("content too long")
        if client_id is not None and not _CLIENT_ID.fullmatch(client_id):
            raise Invalid("client_id is 1 to 64 of A-Z a-z 0-9 _ -")
        room = await self._rooms.find(room_id)
        body = Body(
            room_id=room.id,
            user_id=author.id,
            user_name=author.name,
            content=content,
            created_at=timestamp(),
            client_id=client_id or secrets.token_urlsafe(16),
        )
        try:
            event, repeated = await self._archiver.publish(draft_message(body), fresh=client_id is None)
        except LogEnded:
            raise RoomClosed from None
        return Posted(event, repeated)

    async def newest(self, room: Room, limit: int = PAGE_SIZE) -> Page:
        """The end of the room's talk. A stream from the page's cursor goes on exactly where the page ends."""
        page = await self.before(room, END, limit)
        return page if page.cursor != END else page._replace(cursor=BEGINNING)

    async def before(self, room: Room, cursor: Cursor, limit: int) -> Page:
        events = await self._backlog.before(room.id, cursor, limit + 1)
        end = events[-1].id if events else cursor
        # Voids take places and show nothing: go on until the page is full, or there is nothing left.
        while len(_shown(events)) <= limit and (older := await self._older(room, events, limit)):
            events = older + events
        messages = _shown(events)
        return Page(messages[-limit:], end, has_more=len(messages) > limit)

    async def after(self, room: Room, cursor: Cursor, limit: int) -> Page:
        events = await self._backlog.after(room.id, cursor, limit + 1)
        while len(_shown(events)) <= limit and (newer := await self._newer(room, events, limit)):
            events += newer
        messages = _shown(events)
        has_more = len(messages) > limit
        end = Cursor.parse(messages[limit - 1].id) if has_more else events[-1].id if events else cursor
        return Page(messages[:limit], end, has_more)

    async def _older(self, room: Room, events: list[Event], limit: int) -> list[Event]:
        at_the_beginning = not events or events[0].prev == BEGINNING
        return [] if at_the_beginning else await self._backlog.before(room.id, events[0].id, limit + 1)

    async def _newer(self, room: Room, events: list[Event], limit: int) -> list[Event]:
        return await self._backlog.after(room.id, events[-1].id, limit + 1) if len(events) > limit else []


def _shown(events: list[Event]) -> list[Message]:
    """The messages among the events. What the log lost may come again under a new id before it is archived; of two that
    stand there, the newer counts."""
    by_name = {(event.user_id, event.client_id): event for event in events if event.kind == "message"}
    return [event.message() for event in sorted(by_name.values(), key=lambda event: event.id)]
