"""The way of an event into the log and the archive, and the promise at its end."""

from __future__ import annotations

from typing import NamedTuple

from cachetools import LRUCache

from chatserver.archive import Archive, IdTaken
from chatserver.cursor import Cursor
from chatserver.errors import Unavailable
from chatserver.events import Draft, Event
from chatserver.log_scripts import Appended, FloorWanted, Full, SeenBefore
from chatserver.room_log import RoomLog

ATTEMPTS = 5
"""Times that one post is appended again because Redis lost it in between. Each needs another flush or failover."""

FLOORS = 20_000
"""Rooms whose floor is remembered (about 200 bytes each); the others are looked up again."""


class Published(NamedTuple):
    """An event that is archived and in the log. `repeated`: it was there before this call."""

    event: Event
    repeated: bool


class Archiver:
    """Publishes events: append, archive, confirm."""

    def __init__(self, archive: Archive, log: RoomLog) -> None:
        self._archive = archive
        self._log = log
        # The highest archived id of a room, as this process knows it, believed for one generation of the log.
        self._floors: LRUCache[int, Cursor] = LRUCache(FLOORS)
        self._generation = log.generation

    async def publish(self, draft: Draft, *, fresh: bool = False) -> Published:
        """Returns when the event can't be lost any more, or raises Unavailable; then nothing is promised.

        The same client id always names the same event, however often and wherever it is published.
        `fresh`: the client id was made just now, so nobody can have used it.
        """
        repeated = False
        lost: Cursor | None = None
        for _ in range(ATTEMPTS):
            first = None if fresh else await self._find_archived(draft)
            if first is None:
                appended = await self._append(draft, lost)
                if isinstance(appended, SeenBefore):
                    lost, fresh = await self._look_again(draft, appended), False
                    continue
                repeated = repeated or appended.repeated
                try:
                    first = await self._archive.commit(appended.event)
                except IdTaken:
                    lost = appended.event.id
                    continue
                repeated = repeated or first.id != appended.event.id
            else:
                repeated = lost is None
                await self._archive.show(first)
            if await self._holds(first):
                self._remember(first)
                return Published(first, repeated)
            await self._archive.retract(first)
            lost = first.id
        raise Unavailable("the log keeps losing this, try again", retry_after=2)

    async def finish(self, room_id: int, id: Cursor) -> None:
        """Archives an event that somebody else appended, perhaps before they died, and takes its mark off.

        Raises Unavailable.
        """
        event = await self._log.find(room_id, id)
        if event is not None and await self._commit(event):
            if not await self._holds(event):
                await self._archive.retract(event)
        else:
            await self._log.release(room_id, id)

    async def _commit(self, event: Event) -> bool:
        """Whether the event counts now. Not if it is a repeat; nor if readers went past its place when it was missing:
        then it is for its poster to append it again."""
        try:
            return await self._archive.commit(event) == event
        except IdTaken:
            return False

    async def _find_archived(self, draft: Draft) -> Event | None:
        """What stands under the client id in the archive. While that is away nobody knows: then the event is appended
        and seen, and the commit finds out, before anything is acknowledged."""
        try:
            return await self._archive.find_by_client_id(*_name(draft))
        except Unavailable:
            return None

    async def _append(self, draft: Draft, lost: Cursor | None) -> Appended | SeenBefore:
        """Appends with a floor that was looked up since the connection to the log was made."""
        token = b""
        for _ in range(ATTEMPTS):
            # With a token the floor must be younger than it: what another task looked up before will not do.
            floor, generation = await self._floor(draft.room_id, anew=bool(token))
            answer = await self._log.append(draft, floor, generation, token=token, lost=lost)
            if isinstance(answer, Full):
                raise Unavailable("too much is waiting to be archived, try again", retry_after=5)
            if not isinstance(answer, FloorWanted):
                return answer
            token = answer.token
        raise Unavailable("the log keeps losing this, try again", retry_after=2)

    async def _look_again(self, draft: Draft, seen: SeenBefore) -> Cursor | None:
        """Redis remembers the client id, its stream does not. Archived meanwhile: fine; else the entry is lost."""
        return None if await self._archive.find_by_client_id(*_name(draft)) else seen.id

    async def _holds(self, event: Event) -> bool:
        """Whether every reader gets past this archived event: it is in the log, or what follows it says so.

        False: the log lost it and went on from an earlier event, so some readers are past its place already.
        """
        lost = await self._log.confirm(event)
        return lost is None or await self._archive.leads_back(lost.goes_on_from, event)

    async def _floor(self, room_id: int, *, anew: bool) -> tuple[Cursor, int]:
        """The room's floor, and the generation of the log under which it was looked up."""
        generation = self._log.generation
        if self._generation != generation:
            self._generation = generation
            self._floors.clear()
        floor = None if anew else self._floors.get(room_id)
        if floor is None:
            floor = await self._archive.tip(room_id)
            if generation == self._generation:
                self._set_floor(room_id, max(floor, self._floors.get(room_id, floor)))
        return floor, generation

    def _remember(self, event: Event) -> None:
        """An event that was acknowledged raises the floor of its room, if that is known at all."""
        floor = self._floors.get(event.room_id)
        if floor is not None and floor < event.id:
            self._set_floor(event.room_id, event.id)

    def _set_floor(self, room_id: int, floor: Cursor) -> None:
        self._floors[room_id] = floor


def _name(draft: Draft) -> tuple[int, int, str]:
    return draft.room_id, draft.user_id, draft.client_id
