"""Messages: the verbs on them, from posting to reactions."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import regex

from chatserver.archive.branch_bases import LogEnded
from chatserver.archive.publisher import Published, Publisher
from chatserver.errors import Forbidden, Invalid, Malformed, MessageDeleted, MessageNotFound, RoomClosed
from chatserver.messages.history import History
from chatserver.messages.rendering import Composing
from chatserver.model.changes import Edited, Reacted, draft_deleted, draft_edited, draft_reaction, has_reaction
from chatserver.model.client_ids import check_client_id, client_id_of, fresh_client_id
from chatserver.model.cursor import Cursor
from chatserver.model.event_id import EventId
from chatserver.model.event_kinds import kind_of
from chatserver.model.events import Body, Draft, Event, Message, Quote, draft_message, timestamp
from chatserver.model.message_classes import look_to_keep
from chatserver.model.users import User
from chatserver.rooms.rooms import Rooms

MAX_CONTENT = 2_000
"""Code points, after trimming."""

MAX_EMOJI = 32
"""Code points of one reaction: the longest emoji in use has ten."""

MAX_REACTIONS = 50
"""Different emoji on one message."""

# As in UTS #51, section 1.4.9, less the digits that are no keycaps: https://www.unicode.org/reports/tr51/#EBNF_and_Regex
_PART = (
    r"\p{RI}\p{RI}|[0-9#*]\uFE0F?\u20E3|"
    r"(?![0-9#*])\p{Emoji}(?:\p{EMod}|\uFE0F)?(?:[\U000E0020-\U000E007E]+\U000E007F)?"
)
_EMOJI = regex.compile(rf"(?:{_PART})(?:\u200D(?:{_PART}))*")


class Posted(NamedTuple):
    """`json`: the message as clients see it. `repeated`: the client id was known; then it is the first message posted
    under it, in its current form. `written`: its content when it was posted; `""` once it is deleted."""

    id: Cursor
    json: bytes
    repeated: bool
    written: str


class SentAndDeleted(MessageDeleted):
    """Other words came under the client id of a deleted message, so they can't be compared with its own."""

    text = "what this form was for was sent before, and deleted; send it again to say it anew"


class Messages:
    """Every verb raises RoomNotFound, and Unavailable: then nothing is promised, and the client repeats it."""

    def __init__(self, rooms: Rooms, publisher: Publisher, history: History, composing: Composing) -> None:
        self._rooms = rooms
        self._publisher = publisher
        self._history = history
        self._composing = composing

    async def post(
        self, author: User, room_id: int, content: str, client_id: str | None, reply_to: Cursor | None = None
    ) -> Posted:
        """Posts a message; a repeat under the same client id returns the first one. Raises Malformed, Invalid."""
        content = _clean(content, "room_id and content required")
        check_client_id(client_id)
        room = await self._rooms.find(room_id)
        quote = None if reply_to is None else await self._quote(EventId(room.id, reply_to))
        html, mentions = await self._composing.compose(content)
        body = Body(
            room_id=room.id,
            user_id=author.id,
            user_name=author.name,
            content=content,
            created_at=timestamp(),
            client_id=client_id or fresh_client_id(),
            html=html,
            mentions=mentions,
            reply_to=quote,
            look=look_to_keep(content),
        )
        event, repeated = await self._publish(draft_message(body), fresh=client_id is None)
        if repeated:
            now = msgspec.json.encode(await self._history.archived(event))
            return Posted(event.id, now, repeated, event.message().content)
        return Posted(event.id, event.json(), repeated, content)

    async def post_form(
        self, author: User, room_id: int, content: str, client_id: str | None, reply_to: Cursor | None = None
    ) -> Posted:
        """Like `post`, for a form: it keeps its client id while its words may be edited, after an answer that did not
        say if they were stored. The same words are a repeat; others are another message, once too.

        Raises SentAndDeleted too.
        """
        posted = await self.post(author, room_id, content, client_id, reply_to)
        content = content.strip()
        if client_id is None or not posted.repeated or posted.written == content:
            return posted
        if not posted.written:
            raise SentAndDeleted
        return await self.post(author, room_id, content, client_id_of(client_id, content), reply_to)

    async def edit(self, editor: User, event_id: EventId, content: str) -> Message:
        """Returns the message in its new form. An edit without a difference changes nothing.

        Raises Malformed, Invalid, MessageNotFound, MessageDeleted, Forbidden for all but its author.
        """
        content = _clean(content, "content required")
        event, message = await self._own(editor, event_id)
        if message.deleted:
            raise MessageDeleted
        if message.content == content:
            await self._publisher.project_message(event)
            return message
        html, mentions = await self._composing.compose(content)
        edited = Edited(
            event_id.room_id, message.id, editor.id, content, timestamp(), html, mentions, look_to_keep(content)
        )
        await self._publish(draft_edited(edited), fresh=True)
        message = await self._history.archived(event)
        if message.deleted:  # the deletion was faster
            raise MessageDeleted
        return message

    async def delete(self, deleter: User, event_id: EventId) -> None:
        """Leaves a tombstone. Raises MessageNotFound, Forbidden for all but its author."""
        _, message = await self._own(deleter, event_id)
        # Also if it is deleted: the first deletion may have been cut off before the text was removed everywhere.
        await self._publish(draft_deleted(message))

    async def react(self, user: User, event_id: EventId, emoji: str, *, on: bool) -> None:
        """Gives a reaction or takes it back. If that changes nothing, no event is published.

        Raises Invalid for a text that is no emoji, MessageNotFound, MessageDeleted.
        """
        if len(emoji) > MAX_EMOJI or not _EMOJI.fullmatch(emoji):
            raise Invalid("a reaction is one emoji")
        await self._rooms.find(event_id.room_id)
        event = await self._archived(event_id)
        message = await self._history.archived(event)
        if message.deleted:
            raise MessageDeleted
        if has_reaction(message, emoji, user.id) == on:
            await self._publisher.project_message(event)
            return
        if on and len(message.reactions) >= MAX_REACTIONS and all(each.emoji != emoji for each in message.reactions):
            raise Invalid("too many different reactions on this message")
        reacted = Reacted(event_id.room_id, message.id, emoji, user.id, user.name, on)
        await self._publish(draft_reaction(reacted), fresh=True)

    async def _own(self, user: User, event_id: EventId) -> tuple[Event, Message]:
        """Returns the message as written and in its current form. Raises MessageNotFound, Forbidden."""
        await self._rooms.find(event_id.room_id)
        event = await self._archived(event_id)
        if event.user_id != user.id:
            raise Forbidden("only the author can do that")
        return event, await self._history.archived(event)

    async def _quote(self, event_id: EventId) -> Quote:
        try:
            message = await self._history.archived(await self._archived(event_id))
        except MessageNotFound:
            raise Invalid("reply_to is no message of this room") from None
        # A deleted message is quoted without its content. A refusal would drop words written meanwhile, and would
        # reject a repeat of a message that is in the room already.
        return message.quote()

    async def _archived(self, event_id: EventId) -> Event:
        """Returns the message, archiving it first if necessary: before that the log may lose it, and give it another
        id."""
        event = await self._publisher.ensure_archived(event_id)
        if event is None or not kind_of(event).is_message:
            raise MessageNotFound
        return event

    async def _publish(self, draft: Draft, *, fresh: bool = False) -> Published:
        try:
            return await self._publisher.publish(draft, fresh=fresh)
        except LogEnded:
            raise RoomClosed from None


def _clean(content: str, required: str) -> str:
    """Raises Malformed for an empty content, Invalid for one that is too long."""
    content = content.strip()
    if not content:
        raise Malformed(required)
    if len(content) > MAX_CONTENT:
        raise Invalid("content too long")
    return content
