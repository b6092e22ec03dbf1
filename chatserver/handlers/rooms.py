"""Rooms: the list, making one, closing one."""

from __future__ import annotations

import msgspec

from chatserver.errors import ChatError, Malformed
from chatserver.handlers.base import Handler, room_number
from chatserver.handlers.bodies import read_body

MOST_ASKED = 50
"""Rooms of one request that asks for some of them."""


class NewRoom(msgspec.Struct):
    name: str
    client_id: str | None = None


class RoomsHandler(Handler):
    async def get(self) -> None:
        self.write_json(200, {"rooms": await self.services.room_list.of(self.user, self._only())})

    def _only(self) -> set[int] | None:
        """Which rooms are asked for (`id`, repeated); None: all. Raises Malformed."""
        asked = self.get_query_arguments("id")
        if len(asked) > MOST_ASKED or not all(text.isascii() and text.isdigit() and len(text) < 20 for text in asked):
            raise Malformed(f"id is the id of a room, at most {MOST_ASKED} times")
        return set(map(int, asked)) if asked else None

    async def post(self) -> None:
        try:
            wanted = read_body(self.request, NewRoom, "name required")
            room = await self.services.rooms.make(wanted.name, self.user.id, wanted.client_id)
        except ChatError as error:
            if not self.is_form():
                raise
            self.note_refusal(error)
            self.say_when(error)
            rooms = await self.services.room_list.of(self.user)
            name = self.get_body_argument("name", "")
            self.page(
                "rooms.html",
                status=error.status,
                rooms=rooms,
                error=error.text,
                name=name,
                client_id=self.client_id_of_form(),
            )
            return
        if self.is_form():
            self.see_other(f"/chat/{room.id}")
        else:
            self.set_header("Location", f"/chat/{room.id}")
            self.write_json(201, room)


class RoomHandler(Handler):
    async def delete(self, room_id: str) -> None:
        number = room_number(room_id)
        await self.services.rooms.close(number, self.user.id)
        self.services.security_log.room_closed(number, self.user.id, self.address)
        self.set_status(204)
