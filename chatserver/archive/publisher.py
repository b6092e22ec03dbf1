"""The publisher: brings an event into the log and the archive, and returns when it can't be lost any more."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from cachetools import LRUCache

from chatserver.archive.branch_bases import BranchBases, LogEnded
from chatserver.archive.commits import Commits, Refused
from chatserver.archive.events import Archive
from chatserver.errors import Overloaded, Unavailable
from chatserver.log.commands import Appended, Base, BaseWanted, Closed, Full, Gone, OtherBranch, Unsure
from chatserver.log.room_log import RoomLog
from chatserver.model.cursor import Cursor
from chatserver.model.event_id import EventId
from chatserver.model.event_kinds import kind_of
from chatserver.model.events import Draft, Event, draft_of

PUBLISH_ATTEMPTS = 12
"""Steps that one post may take: after a flush or failover of Redis it needs three, and three more for each further
one."""

BRANCHES = 20_000
"""Rooms whose branch is cached (about 200 bytes each); the log knows the others."""


class Published(NamedTuple):
    """An event that is archived and in the log. `repeated`: it was there before this call."""

    event: Event
    repeated: bool


class Publisher:
    """Publishes events: looks the client id up, appends, archives, clears the mark."""

    def __init__(self, archive: Archive, bases: BranchBases, commits: Commits, log: RoomLog) -> None:
        self._archive = archive
        self._bases = bases
        self._commits = commits
        self._log = log
        self._branches: LRUCache[int, Cursor] = LRUCache(BRANCHES)

    async def publish(self, draft: Draft, *, fresh: bool = False, lost: Cursor | None = None) -> Published:
        """Returns when the event can't be lost any more, or raises Unavailable: then nothing is promised.

        Raises LogEnded. The same client id always names the same event, however often and wherever it is published.
        `fresh`: the client id was made just now, so it can't have been used.
        `lost`: an id under which the event was in the log, and that the archive refused.
        """
        base: Base | None = None
        for _ in range(PUBLISH_ATTEMPTS):
            # The archive is asked for the client id only when the branch is known: see `append.lua`.
            branch = base.id if base else self._branches.get(draft.room_id)
            looked_up = fresh
            if branch is not None and not fresh:
                first, looked_up = await self._look_up(draft)
                if first is not None:
                    return await self._answer(draft, first, lost)
            outcome = await self._log.append(draft, branch, base=base, lost=lost, looked_up=looked_up)
            match outcome:
                case OtherBranch(id):
                    base, self._branches[draft.room_id] = None, id
                case BaseWanted():
                    base = await self._bases.make(draft.room_id, outcome)
                case Appended(event, repeated):
                    if repeated:
                        self._publish_deletion(event)
                    try:
                        return await self._archive_it(event, repeated)
                    except Refused:
                        lost = event.id
                        self._branches.pop(draft.room_id, None)
                case Gone(id):
                    first, looked_up = await self._look_up(draft)
                    if first is not None:
                        return await self._answer(draft, first, lost)
                    if not looked_up:
                        raise Unavailable(because="the archive is not available", retry_after=2)
                    lost = id
                case Closed():
                    raise LogEnded
                case Full():
                    raise Unavailable(because="too much is waiting to be archived", retry_after=5)
                case Unsure():
                    raise Unavailable(because="the archive is not available", retry_after=2)
        raise Unavailable(because="the log keeps losing this", retry_after=2)

    async def archive_pending(self, event_id: EventId) -> None:
        """Archives an event that another process appended, perhaps before it died. Raises Unavailable."""
        event = await self._log.find(*event_id)
        if event is None:
            # Lost; or archived and trimmed, but perhaps not projected.
            if (archived := await self._archive.find(*event_id)) is not None:
                await self._commits.project(archived)
            await self._log.drop_mark(event_id)
            return
        try:
            await self._archive_it(event, repeated=True)
        except Refused:
            with suppress(LogEnded):
                await self.publish(draft_of(event), lost=event.id)

    async def ensure_archived(self, event_id: EventId) -> Event | None:
        """Returns the event, archiving it first if necessary; None if there is none. Raises Unavailable."""
        event = await self._archive.find(*event_id)
        if event is None and await self._log.find(*event_id) is not None:
            await self.archive_pending(event_id)
            event = await self._archive.find(*event_id)
        return event

    async def project_message(self, message: Event) -> None:
        """Ensures that the changes of an archived message are in `messages`, before a client is told so: the process
        that archived them may have died, and Redis may have lost the pending mark. Raises Unavailable."""
        await self._commits.project_message(message)

    async def close(self) -> None:
        """Returns when all events that were begun are archived."""
        await self._commits.close()

    async def _archive_it(self, event: Event, repeated: bool) -> Published:
        """Raises Refused."""
        first = await self._commits.commit(event)
        if first.id == event.id:
            self._log.mark_archived(event)
        else:
            await self._log.remove_entry(event, event.id)
        return Published(first, repeated or first.id != event.id)

    async def _answer(self, draft: Draft, first: Event, lost: Cursor | None) -> Published:
        self._publish_deletion(first)
        await self._commits.project(first)
        if lost is not None:
            await self._log.remove_entry(draft, lost)
        return Published(first, repeated=True)

    def _publish_deletion(self, event: Event) -> None:
        """Publishes an earlier deletion to this process, which may have missed it: once it answers that a message is
        deleted, its readers must get none of its text."""
        if kind_of(event).deletes:
            self._log.own_news.publish([event])

    async def _look_up(self, draft: Draft) -> tuple[Event | None, bool]:
        """Returns the archived event under the client id, and False if the archive could not be asked. Raises
        Overloaded."""
        try:
            found = await self._archive.find_by_client_id(draft.room_id, draft.user_id, draft.client_id)
        except Overloaded:
            raise  # the archive is there, and the client may ask again
        except Unavailable:
            return None, False
        return found, True
