"""Messages: posting one, reading pages of them."""

from __future__ import annotations

import msgspec

from chatserver.cursor import Cursor
from chatserver.errors import Invalid, Malformed, Unavailable
from chatserver.handlers.base import Handler, room_number
from chatserver.handlers.bodies import read_body
from chatserver.handlers.pages import show_room
from chatserver.messages import MAX_PAGE, PAGE_SIZE

REQUIRED = "room_id and content required"


class NewMessage(msgspec.Struct):
    room_id: int
    content: str
    client_id: str | None = None


class MessagesHandler(Handler):
    async def post(self) -> None:
        new = read_body(self.request, NewMessage, REQUIRED)
        try:
            event, repeated = await self.services.messages.post(self.user, new.room_id, new.content, new.client_id)
        except (Malformed, Invalid, Unavailable) as error:
            if not self.is_form():
                raise
            self.say_when(error)
            room = await self.services.rooms.find(new.room_id)
            await show_room(self, room, status=error.status, error=error.text, draft=new.content)
            return
        if self.is_form():
            self.see_other(f"/chat/{new.room_id}")
        else:
            body = b'{"ok":true,"id":"%b","message":%b}' % (str(event.id).encode(), event.json())
            self.write_json(200 if repeated else 201, body)


class RoomMessagesHandler(Handler):
    async def get(self, room_id: str) -> None:
        room = await self.services.rooms.find(room_number(room_id))
        before, after = self._cursor("before"), self._cursor("after")
        limit = self._limit()
        if before is not None and after is not None:
            raise Malformed("before or after, not both")
        if before is not None:
            page = await self.services.messages.before(room, before, limit)
        elif after is not None:
            page = await self.services.messages.after(room, after, limit)
        else:
            page = await self.services.messages.newest(room, limit)
        self.write_json(200, {"messages": page.messages, "cursor": str(page.cursor), "has_more": page.has_more})

    def _cursor(self, name: str) -> Cursor | None:
        text = self.get_query_argument(name, None, strip=False)
        try:
            return None if text is None else Cursor.parse(text)
        except ValueError:
            raise Malformed(f"{name} is not the id of a message") from None

    def _limit(self) -> int:
        text = self.get_query_argument("limit", str(PAGE_SIZE), strip=False)
        if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MAX_PAGE):
            raise Malformed(f"limit is 1 to {MAX_PAGE}")
        return int(text)
