"""A message: reading it, editing it, reactions to it."""

from __future__ import annotations

import msgspec

from chatserver.errors import MessageNotFound
from chatserver.model.cursor import Cursor
from chatserver.model.event_id import EventId
from chatserver.quotas.quotas import DELETING, EDITING, REACTING, counted_as
from chatserver.web.caller.bodies import read_body
from chatserver.web.handlers.base import Handler, room_number


class NewContent(msgspec.Struct):
    content: str


class MessageHandler(Handler):
    quotas = counted_as(PATCH=[EDITING], DELETE=[DELETING])

    async def get(self, room_id: str, id: str) -> None:
        event_id = event_id_of(room_id, id)
        room = await self.services.rooms.find(event_id.room_id)
        self.write_json(200, await self.services.history.find(room, event_id.id))

    async def patch(self, room_id: str, id: str) -> None:
        new = read_body(self.request, NewContent, "content required")
        self.write_json(200, await self.services.messages.edit(self.user, event_id_of(room_id, id), new.content))

    async def delete(self, room_id: str, id: str) -> None:
        await self.services.messages.delete(self.user, event_id_of(room_id, id))
        self.set_status(204)


class ReactionHandler(Handler):
    quotas = counted_as(PUT=[REACTING], DELETE=[REACTING])

    async def put(self, room_id: str, id: str, emoji: str) -> None:
        await self.services.messages.react(self.user, event_id_of(room_id, id), emoji, on=True)
        self.set_status(204)

    async def delete(self, room_id: str, id: str, emoji: str) -> None:
        await self.services.messages.react(self.user, event_id_of(room_id, id), emoji, on=False)
        self.set_status(204)


def event_id_of(room_id: str, id: str) -> EventId:
    """Returns the id in a path. Raises RoomNotFound, MessageNotFound if it can't be one."""
    room = room_number(room_id)
    try:
        return EventId(room, Cursor.parse(id))
    except ValueError:
        raise MessageNotFound from None
