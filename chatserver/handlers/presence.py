"""Who is in a room, and who is typing there."""

from __future__ import annotations

from chatserver.handlers.base import Handler, room_number
from chatserver.quotas import TYPING, counted_as


class PresenceHandler(Handler):
    answers_at_length = True

    async def get(self, room_id: str) -> None:
        room = await self.services.rooms.find(room_number(room_id))
        self.write_json(200, {"users": await self.services.presence.users(room.id)})


class TypingHandler(Handler):
    quotas = counted_as(POST=[TYPING])

    async def post(self, room_id: str) -> None:
        room = await self.services.rooms.find(room_number(room_id))
        self.services.typists.types(self.user, room)
        self.set_status(204)
