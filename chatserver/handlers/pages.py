"""Pages for people: the list of rooms, and a room."""

from __future__ import annotations

from chatserver.cursor import Cursor
from chatserver.handlers.base import Handler, room_number
from chatserver.history import PAGE_SIZE
from chatserver.rooms import Room


class PageHandler(Handler):
    """A page of somebody who is signed in; others are asked to sign in first, and come back."""

    open_to_all = True

    async def prepare(self) -> None:
        await super().prepare()
        if self.session is None:
            self.redirect(self.sign_in_path())

    def wants_page(self) -> bool:
        """Also who does not say what they want; but not who wants JSON."""
        return super().wants_page() or "json" not in self.request.headers.get("Accept", "")


class Home(Handler):
    open_to_all = True

    async def get(self) -> None:
        self.redirect("/chat")

    async def head(self) -> None:
        await self.get()


class RoomsPage(PageHandler):
    async def head(self) -> None:
        await self.get()

    async def get(self) -> None:
        self.page("rooms.html", rooms=await self.services.rooms.all(), error=None, name="")


class RoomPage(PageHandler):
    async def head(self, room_id: str) -> None:
        await self.get(room_id)

    async def get(self, room_id: str) -> None:
        room = await self.services.rooms.find(room_number(room_id))
        await show_room(self, room, before=self._before())

    def _before(self) -> Cursor | None:
        """An older page, for those who read without JavaScript. An address that was cut off shows the newest."""
        try:
            return Cursor.parse(self.get_query_argument("before", ""))
        except ValueError:
            return None


async def show_room(
    handler: Handler,
    room: Room,
    *,
    status: int = 200,
    before: Cursor | None = None,
    error: str | None = None,
    draft: str = "",
) -> None:
    """The room's page, with the cursor that it reflects: the page's stream starts there."""
    history = handler.services.history
    page = await (history.newest(room) if before is None else history.before(room, before, PAGE_SIZE))
    handler.page(
        "room.html",
        status=status,
        room=room,
        rooms=await handler.services.rooms.all(),
        messages=page.messages,
        cursor=str(page.cursor),
        has_more=page.has_more,
        has_newer=before is not None,
        stream_cursor=str(page.cursor),
        last_read="",
        first_unread="",
        error=error,
        draft=draft,
    )
