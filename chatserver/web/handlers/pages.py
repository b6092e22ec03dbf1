"""Pages: the list of rooms, and a room."""

from __future__ import annotations

import contextlib
from typing import Literal, NamedTuple

from chatserver.errors import NotFound
from chatserver.messages.history import PAGE_SIZE, MessagePage
from chatserver.model.client_ids import fresh_client_id
from chatserver.model.cursor import BEGINNING, Cursor
from chatserver.model.rooms import Room
from chatserver.rooms.room_list import Row
from chatserver.web.handlers.base import Handler, room_number


class HtmlHandler(Handler):
    """A page for signed-in users; others are sent to sign in first, and come back."""

    open_to_all = True

    async def prepare(self) -> None:
        await super().prepare()
        if self.session is None:
            self.redirect(self.sign_in_path())

    def wants_page(self) -> bool:
        """Counts callers without an `Accept` as browsers too, but not those that ask for JSON."""
        return super().wants_page() or "json" not in self.request.headers.get("Accept", "")


class Home(Handler):
    open_to_all = True

    async def get(self) -> None:
        self.redirect("/chat")


class RoomsPage(HtmlHandler):
    answers_at_length = True

    async def get(self) -> None:
        self.render_page("rooms.html", rooms=await self.services.room_list.of(self.user), error=None, name="")


class RoomPage(HtmlHandler):
    answers_at_length = True

    async def get(self, room_id: str) -> None:
        room = await self.services.rooms.find(room_number(room_id))
        await show_room(self, room, where=self._where())

    def _where(self) -> Where:
        """Returns the position in the address. An incomplete one shows the newest page."""
        for name in ("at", "before", "after"):
            if name in self.request.query_arguments:
                try:
                    return Where(name, Cursor.parse(self.get_query_argument(name)))
                except ValueError:
                    return NEWEST
        return UNREAD


class Where(NamedTuple):
    """The position of a page in a room. `at` a message, `before` one (for readers without JavaScript), `after` one; or
    from the first `unread` message, and otherwise the `newest`."""

    name: Literal["at", "before", "after", "unread", "newest"]
    id: Cursor = BEGINNING


UNREAD, NEWEST = Where("unread"), Where("newest")


async def show_room(
    handler: Handler,
    room: Room,
    *,
    status: int = 200,
    where: Where = NEWEST,
    error: str | None = None,
    draft: str = "",
    client_id: str | None = None,
) -> None:
    """Renders the room's page, with the cursor that it reflects, and the one at which its stream starts. `client_id`:
    of the draft, if it has one."""
    # First the rooms, with the tips of their logs: a stream from there brings everything that the page lacks.
    rooms = await handler.services.room_list.of(handler.user)
    row = next((each for each in rooms if each.id == room.id), None)
    first_unread = await _first_unread(handler, row)
    page = await _page(handler, room, where, first_unread)
    has_newer = page.has_newer or where.name == "before" or (where.name == "after" and page.has_more)
    handler.render_page(
        "room.html",
        status=status,
        room=room,
        rooms=rooms,
        messages=page.messages,
        cursor=str(page.cursor),
        has_more=page.has_more or where.name == "after",
        has_newer=has_newer,
        stream_cursor=row.last_id if row and has_newer else str(page.cursor),
        last_read=row.last_read if row else "",
        first_unread="" if first_unread is None else str(first_unread),
        error=error,
        draft=draft,
        client_id=client_id or fresh_client_id(),
    )


async def _first_unread(handler: Handler, row: Row | None) -> Cursor | None:
    if row is None or not row.unread:
        return None
    return await handler.services.unread.first(handler.user.id, row.id, Cursor.parse(row.last_read))


async def _page(handler: Handler, room: Room, where: Where, first_unread: Cursor | None) -> MessagePage:
    history = handler.services.history
    if where.name == "before":
        return await history.before(room, where.id, PAGE_SIZE)
    if where.name == "after":
        return await history.after(room, where.id, PAGE_SIZE)
    if where.name == "at":
        with contextlib.suppress(NotFound):
            return await history.around(room, where.id, PAGE_SIZE)
    newest = await history.newest(room)
    shown = newest.messages
    if where.name == "unread" and first_unread and shown and first_unread < Cursor.parse(shown[0].id):
        return await history.around(room, first_unread, PAGE_SIZE)
    return newest
