"""Rooms: the list, making one, closing one."""

from __future__ import annotations

import msgspec

from chatserver.errors import ChatError, Malformed, TooMany
from chatserver.quotas.quotas import CLOSING_ROOMS, MAKING_ROOMS, MAKING_ROOMS_DAILY, READING, counted_as
from chatserver.web.caller.bodies import read_body
from chatserver.web.handlers.base import Handler, room_number

MAX_SELECTED_ROOMS = 50
"""Most rooms that one request can select."""


class NewRoom(msgspec.Struct):
    name: str
    client_id: str | None = None


class RoomsHandler(Handler):
    quotas = counted_as(POST=[MAKING_ROOMS, MAKING_ROOMS_DAILY])
    answers_at_length = True

    async def get(self) -> None:
        self.write_json(200, {"rooms": await self.services.room_list.of(self.user, self._only())})

    def _only(self) -> set[int] | None:
        """Returns the selected rooms (`id`, repeated); None: all. Raises Malformed."""
        asked = self.get_query_arguments("id")
        if len(asked) > MAX_SELECTED_ROOMS or not all(
            text.isascii() and text.isdigit() and len(text) < 20 for text in asked
        ):
            raise Malformed(f"id is the id of a room, at most {MAX_SELECTED_ROOMS} times")
        return set(map(int, asked)) if asked else None

    async def post(self) -> None:
        try:
            new_room = read_body(self.request, NewRoom, "name required")
            room = await self.services.rooms.make(new_room.name, self.user.id, new_room.client_id)
        except ChatError as error:
            if not self.is_form():
                raise
            await self._show_again(error)
            return
        if self.is_form():
            self.see_other(f"/chat/{room.id}")
        else:
            self.set_header("Location", f"/chat/{room.id}")
            self.write_json(201, room)

    async def refuse(self, error: TooMany) -> None:
        if not self.is_form():
            raise error
        await self.services.limiter.spend(READING, str(self.user.id))  # that page counts too
        await self._show_again(error)

    async def _show_again(self, error: ChatError) -> None:
        """Shows the list, with the written name in its form."""
        self.note_refusal(error)
        self.say_when(error)
        self.render_page(
            "rooms.html",
            status=error.status,
            rooms=await self.services.room_list.of(self.user),
            error=error.text,
            name=self.get_body_argument("name", ""),
            client_id=self.client_id_of_form(),
        )


class RoomHandler(Handler):
    quotas = counted_as(DELETE=[CLOSING_ROOMS])

    async def delete(self, room_id: str) -> None:
        number = room_number(room_id)
        await self.services.rooms.close(number, self.user.id)
        self.services.security_log.room_closed(number, self.user.id, self.address)
        self.set_status(204)
