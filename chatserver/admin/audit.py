"""An audit of the archive: proves each room's chain, and that `messages` follows from `events`.

The chain: each event names as its `prev` the event before it, voids among them.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator

from chatserver.admin.rebuild import MessagesRebuild, Progress, in_batches
from chatserver.archive.database import Database, Document, mongodb_errors_as_unavailable
from chatserver.archive.event_documents import read_event, read_key
from chatserver.errors import Unavailable
from chatserver.model.changes import about
from chatserver.model.cursor import BEGINNING, Cursor
from chatserver.model.event_kinds import LASTING, kind_of, without_text
from chatserver.model.events import Event

SECOND_LOOK_SECONDS = 3.0

MOST_PROBLEMS = 10_000
"""Most lines that are printed. An archive with more problems is not to be mended line by line."""


class Audit:
    def __init__(self, database: Database) -> None:
        self._projection = MessagesRebuild(database)
        self.events = 0
        self.messages = 0

    async def rooms(self) -> list[int]:
        return [room_id async for room_id in self._projection.rooms()]

    async def problems(self, room_id: int) -> AsyncIterator[str]:
        """Yields the problems of a room, a line each. During writes the newest events may look wrong once.

        Reads the room in batches, and keeps no more of it, however long it is. Raises Unavailable.
        """
        before, shown = BEGINNING, self._projection.shown(room_id)
        message = await anext(shown, None)
        with mongodb_errors_as_unavailable():
            async for documents in in_batches(self._projection.events(room_id)):
                events = list(map(read_event, documents))
                self.events += len(events)
                messages = [event for event in events if kind_of(event).is_message]
                expected = {_key(each): each for each in await self._projection.expected(room_id, messages)}
                changed = {about(event) for event in events if kind_of(event).is_change}
                written = await self._projection.messages_among(room_id, changed)
                for event in events:
                    for problem in _links(event, before), _is_known(event):
                        if problem:
                            yield f"room {room_id}: {event.id} {problem}"
                    before = event.id
                    if kind_of(event).is_change and not (about(event) in written and about(event) < event.id):
                        yield f"room {room_id}: {event.id} is about {about(event)}, which is no message in front of it"
                    if not kind_of(event).is_message:
                        continue
                    while message is not None and _key(message) < event.id:
                        yield f"room {room_id}: {_key(message)} is shown, and no event says so"
                        message = await anext(shown, None)
                    if message is None or _key(message) != event.id:
                        yield f"room {room_id}: {event.id} is archived and not shown"
                        continue
                    if message != expected[event.id]:
                        yield f"room {room_id}: {event.id} is shown otherwise than its events say"
                    if "deleted" in expected[event.id] and without_text(event) != event:
                        yield f"room {room_id}: {event.id} was deleted, and its text is still archived"
                    self.messages += 1
                    message = await anext(shown, None)
            while message is not None:
                yield f"room {room_id}: {_key(message)} is shown, and no event says so"
                message = await anext(shown, None)
            async for problem in self._repeats(room_id):
                yield f"room {room_id}: {problem}"

    async def _repeats(self, room_id: int) -> AsyncIterator[str]:
        """Yields the repeated client ids, whose events are neighbours in the order of client ids."""
        last: Document | None = None
        async for event in self._projection.named(room_id):
            if last is not None and _name(last) == _name(event):
                user_id, client_id = _name(event)
                later = max(_key(last), _key(event))
                yield f"{later} is a second one of user {user_id} with the client id {client_id}"
            last = event


def _links(event: Event, before: Cursor) -> str | None:
    return None if event.prev == before else f"follows {event.prev}, which is not the event before it"


def _is_known(event: Event) -> str | None:
    return None if event.kind in LASTING else f"is of a kind nobody knows: {event.kind}"


def _name(event: Document) -> tuple[int, str]:
    return event["user_id"], event["client_id"]


def _key(message: Document) -> Cursor:
    return read_key(message["_id"])


async def _some(problems: AsyncIterator[str], most: int) -> list[str]:
    """Returns the first `most` of them."""
    found: list[str] = []
    async for problem in problems:
        found.append(problem)
        if len(found) == most:
            break
    return found


async def audit_all(uri: str, progress: Progress = list) -> int:
    """Prints the problems. Returns the exit status: 0 there are none, 1 there are some, 2 the archive can't be read.

    `progress`: yields the ids of the rooms one by one, and may show the progress.
    """
    database = Database(uri)
    audit = Audit(database)
    problems: list[str] = []
    try:
        rooms = await audit.rooms()
        for room_id in progress(rooms):
            found = await _some(audit.problems(room_id), MOST_PROBLEMS)
            if found:
                # The room may be written to at this moment; a real problem stays.
                await asyncio.sleep(SECOND_LOOK_SECONDS)
                again = set(await _some(Audit(database).problems(room_id), 2 * MOST_PROBLEMS))
                problems += [problem for problem in found if problem in again]
            if len(found) == MOST_PROBLEMS or len(problems) > MOST_PROBLEMS:
                problems = [
                    *problems[:MOST_PROBLEMS],
                    f"room {room_id}: there is more, and nothing behind it was looked at",
                ]
                break
    except Unavailable as error:
        print(f"the archive does not answer: {error.__cause__ or error}", file=sys.stderr)
        return 2
    finally:
        database.close()
    print(*problems, sep="\n", end="\n" if problems else "")
    print(
        f"{audit.events} events and {audit.messages} messages in {len(rooms)} rooms: {len(problems) or 'no'} problems"
    )
    return 1 if problems else 0
