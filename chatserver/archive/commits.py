"""Commits: the writing of events into the archive, so that an archived event stays archived.

Redis may forget, fork or repeat a room's log at any moment. So this module decides if an event counts, once and for
ever, by two rules:

    in order    an event is written when the one it follows is there
    one each    of two that follow the same one, the second is refused (a unique index on room and `prev`)

So the events of a room are one chain, from which nothing is missing and nothing is ever taken out. A refused event, or
one that follows a refused one, belongs to a branch of the log that Redis lost. It was not acknowledged, and the process
that holds it appends it again. Readers can't be past the place of an event that is still to come into the chain, since
the log shows no event of another branch before that branch has its place (see `branch_bases.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from itertools import groupby

from cachetools import LRUCache
from pymongo.errors import BulkWriteError, DuplicateKeyError

from chatserver.archive.backlog import is_linked
from chatserver.archive.database import WRITE_MS, Collection, Database, Document, raise_unless_duplicate
from chatserver.archive.event_documents import event_document, event_key, read_event
from chatserver.archive.events import Archive, client_key
from chatserver.archive.projector import MessageProjector
from chatserver.archive.tail_projection import TailProjection
from chatserver.errors import Unavailable
from chatserver.log.room_log import RoomLog
from chatserver.model.cursor import Cursor
from chatserver.model.events import Event
from chatserver.support.group_commit import GroupCommit

COMMIT_BATCH = 500
"""Most events that are read or written together."""

LONG_MS = 1_000
"""An event this much older than the one it was archived with has no process left to clear its mark."""

TIPS = 20_000
"""Rooms whose last archived id is cached (about 200 bytes each); for the others it is looked up."""


class Refused(Exception):
    """The event never counts: it belongs to a lost branch of its log. Append it again."""


class Commits:
    """Writes events. Those that come during a write are written together by the next."""

    def __init__(self, database: Database, archive: Archive, log: RoomLog) -> None:
        self._events = database.events
        self._latest = database.latest_events
        self._projector = MessageProjector(database, archive, log)
        self._tails = TailProjection(database, archive, self._projector)
        self._archive = archive
        self._log = log
        self._group: GroupCommit[Event, Event] = GroupCommit(self._commit_all)
        # The last archived id of each room, as far as this process knows.
        self._tips: LRUCache[int, Cursor] = LRUCache(TIPS)

    async def commit(self, event: Event) -> Event:
        """Archives an event, durably, and returns the archived one with its client id.

        That is the event itself, even if it was archived before; or an earlier one, if this is a repeat that slipped
        past both look-ups. Then the repeat is archived as a void, so that `prev` of the next event still holds.
        Raises Refused, Unavailable.
        """
        outcome = await self._group.submit(event)
        # Also the first of a repeat: the process that archived it may have died before it was projected.
        await self.project(outcome)
        return outcome

    async def project(self, event: Event) -> None:
        """Ensures that an archived event is in `messages`, even if the process that archived it died."""
        await self._projector.project(event)

    async def project_message(self, message: Event) -> None:
        """Ensures that `messages` has the current state of an archived message."""
        await self._projector.project_message(message)

    def project_tail(self, room_id: int) -> None:
        """Begins to project what was archived last in a room, after its log lost something."""
        self._tails.request(room_id)

    async def close(self) -> None:
        """Returns when all submitted events are written."""
        await self._group.join()
        await self._tails.close()
        await self._projector.close()

    async def _commit_all(self, events: Sequence[Event]) -> Sequence[Event | Exception]:
        batch = _Batch()
        rooms = groupby(sorted(set(events), key=lambda event: (event.room_id, event.id)), lambda event: event.room_id)
        unlinked: list[tuple[int, list[Event]]] = []
        for room_id, group in rooms:
            submitted = list(group)
            tip = self._tips.get(room_id)
            if tip is not None and is_linked(tip, submitted):
                batch.to_write += submitted
            else:
                unlinked.append((room_id, submitted))
        with self._archive.noting_absence():
            await asyncio.gather(*(self._link(room_id, submitted, batch) for room_id, submitted in unlinked))
            while batch.to_write:
                await self._write(batch)
        others = batch.archived().difference(events)
        await self._projector.project_all(others)
        self._clear_others(others, events)
        return [batch.outcomes[event.room_id, event.id] for event in events]

    # In order

    async def _link(self, room_id: int, submitted: list[Event], batch: _Batch) -> None:
        """Plans a room's events, and the events before them that other processes appended."""
        tip = await self._archive.tip(room_id)
        behind = [event for event in submitted if event.id <= tip]
        ahead = submitted[len(behind) :]
        for event, stands in zip(behind, await self._archive.are_archived(behind) if behind else (), strict=True):
            batch.outcomes[room_id, event.id] = event if stands else await self._first(event) or Refused()
        try:
            chain = await self._chain(tip, ahead) if ahead else []
        except Unavailable as error:
            batch.settle(ahead, error)
            return
        batch.to_write += chain
        written = {event.id for event in chain}
        batch.settle([event for event in ahead if event.id not in written], Refused())

    async def _chain(self, tip: Cursor, submitted: list[Event]) -> list[Event]:
        """Returns the log from the archived tip to the last submitted event, as far as it links."""
        chain: list[Event] = []
        following = {event.prev: event for event in submitted}
        while tip < submitted[-1].id:
            if tip not in following:
                streamed = await self._log.after(submitted[-1].room_id, tip, COMMIT_BATCH)
                following |= {event.prev: event for event in streamed}
            if tip not in following:
                break
            chain.append(following[tip])
            tip = following[tip].id
        return chain

    # One each

    async def _write(self, batch: _Batch) -> None:
        events, batch.to_write = batch.to_write[:COMMIT_BATCH], batch.to_write[COMMIT_BATCH:]
        count = await _insert_in_order(self._events, [event_document(event) for event in events])
        for event in events[:count]:
            batch.outcomes[event.room_id, event.id] = event
            self._tips[event.room_id] = event.id
        if count == len(events):
            return
        refused = events[count]
        batch.to_write = events[count + 1 :] + batch.to_write
        outcome, has_place = await self._resolve_duplicate(refused)
        batch.outcomes[refused.room_id, refused.id] = outcome
        if has_place:
            self._tips[refused.room_id] = refused.id
            await self._skip_archived(refused.room_id, batch)
        else:
            self._tips.pop(refused.room_id, None)
            batch.settle(batch.drop_room(refused.room_id), Refused())

    async def _skip_archived(self, room_id: int, batch: _Batch) -> None:
        """Drops a room's archived events from the plan. As a rule there are several: two processes archive the same
        log."""
        there = batch.drop_room(room_id)
        stands = await self._archive.are_archived(there) if there else []
        for event, is_there in zip(there, stands, strict=True):
            if is_there:
                batch.outcomes[room_id, event.id] = event
                self._tips[room_id] = event.id
            else:
                batch.to_write.append(event)

    async def _resolve_duplicate(self, event: Event) -> tuple[Event | Refused, bool]:
        """Finds out why a unique index refused the event. Returns its outcome, and True if any document has its place
        in the chain: then its followers may still be written."""
        if (filled := await self._fill(event)) is not None:
            return filled, True
        there = await self._latest.find_one({"_id": event_key(event.room_id, event.id)}, max_time_ms=WRITE_MS)
        if there is None:
            first = await self._first(event)
            if first is None:
                return Refused(), False
            count = await _insert_in_order(self._events, [event_document(event, void=True)])
            return first, count == 1
        if there.get("client_id") == event.client_id and there["user_id"] == event.user_id:
            return event, True
        return await self._first(event) or Refused(), True

    async def _fill(self, event: Event) -> Event | Refused | None:
        """Puts the first event of a branch into its reserved slot. Returns None if this is another event."""
        kept = {"_id": event_key(event.room_id, event.id), "prev": str(event.prev), "kept_for": {"$exists": True}}
        try:
            filled = await self._events.replace_one(kept, event_document(event))
        except DuplicateKeyError:
            await self._events.replace_one(kept, event_document(event, void=True))
            return await self._first(event) or Refused()
        return event if filled.matched_count else None

    def _clear_others(self, others: Iterable[Event], submitted: Sequence[Event]) -> None:
        """Clears the pending marks of events that were archived in passing, if their own process is not about to: after
        an outage these are most of them."""
        newest = {event.room_id: event.id.ms for event in sorted(submitted, key=lambda event: event.id)}
        old = [event for event in others if event.id.ms < newest[event.room_id] - LONG_MS]
        for event in old:
            self._log.mark_archived(event)

    async def _first(self, event: Event) -> Event | None:
        """Returns the archived event with this one's client id."""
        name = client_key(event.room_id, event.user_id, event.client_id)
        found = await self._latest.find_one(name, max_time_ms=WRITE_MS)
        return None if found is None else read_event(found)


class _Batch:
    """Events to be written together, in order, and their outcomes."""

    def __init__(self) -> None:
        self.to_write: list[Event] = []
        self.outcomes: dict[tuple[int, Cursor], Event | Exception] = {}

    def archived(self) -> set[Event]:
        return {outcome for outcome in self.outcomes.values() if isinstance(outcome, Event)}

    def settle(self, events: Sequence[Event], outcome: Exception) -> None:
        for event in events:
            self.outcomes[event.room_id, event.id] = outcome

    def drop_room(self, room_id: int) -> list[Event]:
        """Removes a room's events from the plan, and returns them."""
        taken = [event for event in self.to_write if event.room_id == room_id]
        self.to_write = [event for event in self.to_write if event.room_id != room_id]
        return taken


async def _insert_in_order(collection: Collection, documents: list[Document]) -> int:
    """Inserts documents up to the first that a unique index refuses. Returns the number inserted."""
    try:
        await collection.insert_many(documents, ordered=True)
    except BulkWriteError as error:
        raise_unless_duplicate(error)
        return int(error.details["writeErrors"][0]["index"])
    return len(documents)
