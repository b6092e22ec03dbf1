"""Read marks of rooms: PUT /rooms/<room>/read"""

from __future__ import annotations

import msgspec

from chatserver.errors import Invalid
from chatserver.model.cursor import Cursor
from chatserver.quotas.quotas import READING_ON, counted_as
from chatserver.web.caller.bodies import read_body
from chatserver.web.handlers.base import Handler, room_number


class Mark(msgspec.Struct):
    id: str


class ReadHandler(Handler):
    quotas = counted_as(PUT=[READING_ON])

    async def put(self, room_id: str) -> None:
        room = await self.services.rooms.find(room_number(room_id))
        text = read_body(self.request, Mark, "id required").id
        try:
            id = Cursor.parse(text)
        except ValueError:
            raise Invalid("id is not the id of a message") from None
        await self.services.room_list.mark_read(self.user, room, id)
        self.set_status(204)
