"""Changes of messages, as drafts."""

from __future__ import annotations

from chatserver.model.changes import Edited, Reacted, draft_deleted, draft_edited, draft_reaction
from chatserver.model.events import Draft, Event


def edit(message: Event, content: str) -> Draft:
    return draft_edited(Edited(message.room_id, str(message.id), message.user_id, content, "2026-11-24T10:00:00.000Z"))


def delete(message: Event) -> Draft:
    return draft_deleted(message.message())


def react(message: Event, emoji: str, user_id: int, *, on: bool = True) -> Draft:
    return draft_reaction(Reacted(message.room_id, str(message.id), emoji, user_id, f"user {user_id}", on))
