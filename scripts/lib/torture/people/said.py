"""What events, pages and the archive say of a message, brought down to what can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from torture.people.texts import Name, Texts, quoted

CHANGES = ("edited", "deleted", "reaction")


class Message(NamedTuple):
    """How a message stands. `text`: its word. `reply_to`: the id, and the word of what is quoted.
    `reactions`: who reacted how, in an order of its own, and as often as it is said."""

    id: str
    user: int
    client_id: str
    text: str
    edited_at: str = ""
    deleted: bool = False
    reply_to: tuple[str, str] | None = None
    reactions: tuple[tuple[str, tuple[int, ...]], ...] = ()

    @property
    def name(self) -> Name:
        return self.user, self.client_id

    def tombstone(self) -> Message:
        return Message(self.id, self.user, self.client_id, "", deleted=True)


class Change(NamedTuple):
    """An `edited`, `deleted` or `reaction` about the message with this id."""

    kind: str
    message: str
    user: int
    text: str = ""
    edited_at: str = ""
    emoji: str = ""
    on: bool = False


def read_message(data: Mapping[str, Any], texts: Texts) -> Message:
    reply = data.get("reply_to")
    reactions = [(each["emoji"], tuple(sorted(each["user_ids"]))) for each in data.get("reactions") or ()]
    name = data["user_id"], data["client_id"]
    return Message(
        data["id"],
        *name,
        texts.read(data["content"], name),
        data.get("edited_at") or "",
        data.get("deleted", False),
        (reply["id"], quoted(reply["content"])) if reply else None,
        tuple(sorted(reactions)),
    )


def read_change(kind: str, data: Mapping[str, Any], texts: Texts) -> Change:
    return Change(
        kind,
        data["message_id"],
        data["user_id"],
        texts.read(data.get("content", "")),
        data.get("edited_at", ""),
        data.get("emoji", ""),
        data.get("on", False),
    )


def read_said(kind: str, data: Mapping[str, Any], texts: Texts) -> Message | Change:
    return read_message(data, texts) if kind == "message" else read_change(kind, data, texts)
