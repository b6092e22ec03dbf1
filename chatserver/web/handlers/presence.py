"""Presence in a room, and typing there."""

from __future__ import annotations

from chatserver.quotas.quotas import TYPING, counted_as
from chatserver.web.handlers.base import Handler, room_number


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
