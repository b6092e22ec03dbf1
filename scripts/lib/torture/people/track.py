"""One room as one reader got it: what came, in which order, and how the room stands by that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common.event_ids import Place, place
from torture.people.fold import Fold
from torture.people.journal import Journal
from torture.people.said import Change, Message, read_said
from torture.people.texts import STRANGE, Name


@dataclass(frozen=True, slots=True)
class Seen:
    """A message or a change as it came. `how`: "stream 7 via chat-a", or "page …". `after`: the cursor until then."""

    at: float
    id: str
    prev: str
    said: Message | Change
    how: str
    after: str

    @property
    def name(self) -> Name | None:
        """Of a message."""
        return self.said.name if isinstance(self.said, Message) else None

    @property
    def streamed(self) -> bool:
        return self.how.startswith("stream")


@dataclass(frozen=True)
class Reset:
    at: float
    asked: str
    given: str
    how: str


class Track:
    def __init__(self, room: int, journal: Journal) -> None:
        self.room = room
        self.start: Place | None = None
        """From here on the reader has to get everything."""
        self.streamed_from: Place = (0, 0)
        """What became of messages before that it knows by the page from which it came."""
        self.cursor = ""
        self.owed: str | None = None
        """After a reset: pages are to be loaded back to this id."""
        self.seen: list[Seen] = []
        self.resets: list[Reset] = []
        self.fold = Fold()
        self.complaints: list[str] = []
        self._journal = journal

    def begin(self, start: Place, streamed_from: Place | None = None) -> None:
        self.start = self.fold.since = start
        self.streamed_from = streamed_from or start

    def stand(self, asked: str, cursor: str, how: str) -> None:
        """The first word of a stream: where it goes on."""
        if asked and place(asked) != place(cursor):
            self.complain(f"{how}: moved from {asked} to {cursor} without a reset")
        if self.start is None:
            self.begin(place(cursor))
        self.cursor = cursor

    def reset(self, cursor: str, how: str) -> None:
        """What lies between has to be loaded by pages now."""
        if self.start is None:
            self.begin(place(cursor))
        self.cursor = self.cursor or cursor
        asked, self.cursor = self.cursor, cursor
        self.resets.append(Reset(self._journal.now(), asked, cursor, how))
        self.owed = min(self.owed or asked, asked, key=place)

    def hear(self, kind: str, data: Mapping[str, Any], how: str) -> None:
        """The next event of the stream."""
        if self.cursor and place(data["id"]) <= place(self.cursor):
            self.complain(f"{how}: {data['id']} came behind {self.cursor}")
        self.note(kind, data, how)
        self.cursor = data["id"]

    def note(self, kind: str, data: Mapping[str, Any], how: str) -> None:
        said = read_said(kind, data, self._journal.texts)
        if STRANGE in {said.text, *(said.reply_to or ())} if isinstance(said, Message) else said.text == STRANGE:
            self.complain(f"{how}: {data['id']} says what nobody wrote there: {str(data)[:300]}")
        self.seen.append(Seen(self._journal.now(), data["id"], data["prev"], said, how, self.cursor))
        self.fold.take(said)

    def complain(self, text: str) -> None:
        self.complaints.append(f"{self._journal.now():.3f} room {self.room}, {text}")
