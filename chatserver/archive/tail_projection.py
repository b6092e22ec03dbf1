"""TailProjection: projects what was archived last in a room, after its log lost something.

An event is pending from the moment it is appended until it is projected, so that another process goes on with it if one
dies in between. When the log loses its tail, it may lose these marks too: then nobody would know of an event that is
archived and not projected.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from chatserver.archive.database import Database, mongodb_errors_as_unavailable
from chatserver.archive.event_documents import event_key, read_key
from chatserver.archive.events import Archive
from chatserver.archive.projector import MessageProjector
from chatserver.errors import Unavailable
from chatserver.model.changes import about
from chatserver.model.cursor import BEGINNING, END, Cursor
from chatserver.model.event_kinds import kind_of
from chatserver.model.events import Event
from chatserver.support.group_commit import GroupCommit

TAIL_EVENTS = 500
"""Events of a room that are looked at. A process archives and projects so many at once (`commits.COMMIT_BATCH`)."""


log = logging.getLogger(__name__)


class TailProjection:
    def __init__(self, database: Database, archive: Archive, projector: MessageProjector) -> None:
        self._database = database
        self._archive = archive
        self._projector = projector
        self._rooms: GroupCommit[int, None] = GroupCommit(self._project_tails)

    def request(self, room_id: int) -> None:
        """Fire and forget. Rooms take turns."""
        self._rooms.hand_in(room_id)

    async def close(self) -> None:
        await self._rooms.join()

    async def _project_tails(self, room_ids: Sequence[int]) -> Sequence[None]:
        for room_id in room_ids:
            try:
                events = await self._archive.before(room_id, END, TAIL_EVENTS)
                await self._projector.project_all(await self._missing(room_id, events))
            except Unavailable as error:
                log.warning("a search may miss the end of room %d: %s", room_id, error.__cause__ or error)
            except Exception:  # the other rooms shall not wait for it
                log.exception("the end of room %d can't be projected", room_id)
        return [None] * len(room_ids)

    async def _missing(self, room_id: int, events: Sequence[Event]) -> list[Event]:
        """Returns the events that `messages` does not have. Raises Unavailable."""
        concerned = {event.id for event in events if kind_of(event).is_message}
        concerned |= {about(event) for event in events if kind_of(event).is_change}
        applied: dict[Cursor, Cursor] = {}
        with mongodb_errors_as_unavailable():
            found = self._database.messages.find(
                {"_id": {"$in": [event_key(room_id, id) for id in concerned]}}, {"applied": 1}
            )
            async for document in found:
                applied[read_key(document["_id"])] = (
                    Cursor.parse(document["applied"]) if "applied" in document else BEGINNING
                )
        return [event for event in events if _is_missing(event, applied)]


def _is_missing(event: Event, applied: Mapping[Cursor, Cursor]) -> bool:
    """`applied`: the newest projected change of each projected message."""
    if kind_of(event).is_change:
        return applied.get(about(event), BEGINNING) < event.id
    return kind_of(event).is_message and event.id not in applied
