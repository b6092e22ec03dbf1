"""Messages: posting one, reading pages of them."""

from __future__ import annotations

import msgspec

from chatserver.errors import ChatError, Invalid, Malformed, RoomNotFound, TooMany, Unavailable
from chatserver.messages.history import MAX_PAGE, PAGE_SIZE, History, MessagePage
from chatserver.messages.messages import SentAndDeleted
from chatserver.model.client_ids import fresh_client_id
from chatserver.model.cursor import Cursor
from chatserver.model.rooms import Room
from chatserver.quotas.quotas import POSTING, READING, counted_as
from chatserver.web.caller.bodies import read_body
from chatserver.web.handlers.base import Handler, room_number
from chatserver.web.handlers.pages import show_room

REQUIRED = "room_id and content required"


class NewMessage(msgspec.Struct):
    room_id: int
    content: str
    client_id: str | None = None
    reply_to: str | None = None


class MessagesHandler(Handler):
    quotas = counted_as(POST=[POSTING])

    async def begin(self) -> None:
        await self.services.workload.begin_post(self)

    async def post(self) -> None:
        new = read_body(self.request, NewMessage, REQUIRED)
        if self.is_form():
            await self._post_form(new)
            return
        posted = await self.services.messages.post(
            self.user, new.room_id, new.content, new.client_id, _reply_to(new.reply_to)
        )
        body = b'{"ok":true,"id":"%b","message":%b}' % (str(posted.id).encode(), posted.json)
        self.write_json(200 if posted.repeated else 201, body)

    async def _post_form(self, new: NewMessage) -> None:
        try:
            await self.services.messages.post_form(
                self.user, new.room_id, new.content, new.client_id, _reply_to(new.reply_to)
            )
        except RoomNotFound:
            raise
        except ChatError as error:
            self.note_refusal(error)
            self.say_when(error)
            # A message that may be stored keeps its client id; one that is finished gets a new one.
            client_id = fresh_client_id() if isinstance(error, SentAndDeleted) else self.client_id_of_form()
            await self._show_again(new, error, client_id)
            return
        self.see_other(f"/chat/{new.room_id}")

    async def refuse(self, error: TooMany) -> None:
        if not self.is_form():
            raise error
        self.note_refusal(error)
        self.say_when(error)
        await self.services.limiter.spend(READING, str(self.user.id))  # that page counts too
        await self._show_again(read_body(self.request, NewMessage, REQUIRED), error, self.client_id_of_form())

    async def _show_again(self, new: NewMessage, error: ChatError, client_id: str) -> None:
        """Shows the written text in a form, even if the rest can't be shown."""
        try:
            room = await self.services.rooms.find(new.room_id)
            await show_room(self, room, status=error.status, error=error.text, draft=new.content, client_id=client_id)
        except Unavailable:
            draft = {"room_id": new.room_id, "draft": new.content, "client_id": client_id}
            self.render_page("unsent.html", status=error.status, error=error.text, **draft)


class RoomMessagesHandler(Handler):
    answers_at_length = True

    async def get(self, room_id: str) -> None:
        room = await self.services.rooms.find(room_number(room_id))
        cursors = {name: cursor for name in ("before", "after", "around") if (cursor := self._cursor(name)) is not None}
        limit = self._limit()
        if len(cursors) > 1:
            raise Malformed("one of before, after and around")
        page = await _page(self.services.history, room, cursors, limit)
        rest = {"cursor": str(page.cursor), "has_more": page.has_more}
        if "around" in cursors:
            rest["has_newer"] = page.has_newer
        # Each message is JSON already, to know its length.
        self.write_json(200, b'{"messages":[%b],%b' % (b",".join(page.encoded), msgspec.json.encode(rest)[1:]))

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


async def _page(history: History, room: Room, cursors: dict[str, Cursor], limit: int) -> MessagePage:
    for name, cursor in cursors.items():
        reading = {"before": history.before, "after": history.after, "around": history.around}[name]
        return await reading(room, cursor, limit)
    return await history.newest(room, limit)


def _reply_to(text: str | None) -> Cursor | None:
    """Raises Invalid for a text that can't be a message's id."""
    try:
        return Cursor.parse(text) if text else None
    except ValueError:
        raise Invalid("reply_to is no message of this room") from None
