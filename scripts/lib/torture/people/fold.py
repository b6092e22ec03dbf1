"""A room as it stands for somebody who was told all this: messages, and what became of each, in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from common.event_ids import Place, place
from torture.people.said import Change, Message
from torture.people.texts import Name


class Fold:
    """`since`: what stands up to there is not known, and changes of it pass by."""

    def __init__(self, since: Place = (0, 0)) -> None:
        self.since = since
        self.messages: dict[str, Message] = {}
        self._ids: dict[Name, str] = {}

    def take(self, said: Message | Change) -> None:
        if isinstance(said, Message):
            self._take_message(said)
        elif (message := self.messages.get(said.message)) is not None and not message.deleted:
            self.messages[said.message] = _changed(message, said)

    def forget(self, since: Place) -> None:
        """After a reset only what pages showed is known."""
        self.since = since
        for id in [id for id in self.messages if place(id) <= since]:
            message = self.messages.pop(id)
            self._ids.pop(message.name, None)

    def _take_message(self, message: Message) -> None:
        """Seen twice before its acknowledgement, it is one: the later one. Deleted once, it is deleted for ever."""
        before = self._ids.get(message.name)
        if before is not None and before != message.id:
            del self.messages[before]
        known = self.messages.get(message.id)
        if known is None or not known.deleted:
            self.messages[message.id] = message
        self._ids[message.name] = message.id


def _changed(message: Message, change: Change) -> Message:
    if change.kind == "deleted":
        return message.tombstone()
    if change.kind == "edited":
        return message._replace(text=change.text, edited_at=change.edited_at)
    reactions = dict(message.reactions)
    others = [user for user in reactions.pop(change.emoji, ()) if user != change.user]
    users = sorted([*others, change.user] if change.on else others)
    if users:
        reactions[change.emoji] = tuple(users)
    return message._replace(reactions=tuple(sorted(reactions.items())))


def differences(
    found: Mapping[str, Message], expected: Mapping[str, Message], since: Place = (0, 0)
) -> Iterator[tuple[str, str]]:
    """Where one shows otherwise than the other, behind a place: the id of the message, and how."""
    for id in sorted(found.keys() | expected.keys(), key=place):
        if place(id) > since and found.get(id) != expected.get(id):
            yield id, f"{id} is {_told(found.get(id), expected.get(id))}, and should be {_told(expected.get(id), None)}"


def _told(message: Message | None, beside: Message | None) -> str:
    """All of a message, or only what it has otherwise than the one beside it."""
    if message is None:
        return "nowhere"
    if beside is None:
        return str(message._asdict())
    return str({name: value for name, value in message._asdict().items() if value != getattr(beside, name)})
