"""The parts of one process through which events go into log and archive, without those that run by themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from chatserver.archive.backlog import Backlog
from chatserver.archive.branch_bases import BranchBases
from chatserver.archive.commits import Commits
from chatserver.archive.database import Database
from chatserver.archive.events import Archive
from chatserver.archive.publisher import Publisher
from chatserver.archive.sweep import Sweep
from chatserver.archive.trimming import Trimming
from chatserver.log.commands import KEEP, Appended, Base, BaseWanted, Gone, Keep, OtherBranch
from chatserver.log.room_log import RoomLog
from chatserver.model.cursor import Cursor
from chatserver.model.events import Body, Draft, Event, draft_message
from chatserver.settings import Settings


@dataclass
class Parts:
    database: Database
    archive: Archive
    log: RoomLog
    bases: BranchBases
    commits: Commits
    publisher: Publisher
    backlog: Backlog
    trimming: Trimming
    sweep: Sweep

    async def begin(self, draft: Draft) -> Event | None:
        """Appends, and does no more: here the process dies. Returns None if it is archived, or was there
        and is gone."""
        branch: Cursor | None = None
        base: Base | None = None
        while True:
            if branch or base:
                named = draft.room_id, draft.user_id, draft.client_id
                if await self.archive.find_by_client_id(*named) is not None:
                    return None
            outcome = await self.log.append(draft, branch, base=base)
            if isinstance(outcome, Appended):
                return outcome.event
            if isinstance(outcome, Gone):
                return None
            if isinstance(outcome, OtherBranch):
                base, branch = None, outcome.id
            else:
                assert isinstance(outcome, BaseWanted)
                base = await self.bases.make(draft.room_id, outcome)
                assert base is not None
                branch = base.id

    async def close(self) -> None:
        await self.trimming.close()
        await self.log.close()
        await self.commits.close()
        await self.archive.close()
        self.database.close()


async def make_parts(settings: Settings, keep: Keep = KEEP) -> Parts:
    database = Database(settings.mongodb_uri)
    await database.prepare()
    archive, log = Archive(database), RoomLog(settings.redis_url, keep)
    commits = Commits(database, archive, log)
    bases = BranchBases(database, log, commits.project_tail)
    publisher = Publisher(archive, bases, commits, log)
    trimming = Trimming(settings.redis_url, keep)
    sweep = Sweep(publisher, log, trimming)
    return Parts(database, archive, log, bases, commits, publisher, Backlog(archive, log), trimming, sweep)


@asynccontextmanager
async def parts_of(settings: Settings) -> AsyncIterator[Parts]:
    """Those of another process."""
    parts = await make_parts(settings)
    try:
        yield parts
    finally:
        await parts.close()


def draft(room: int, name: str) -> Draft:
    return draft_message(Body(room, 7, "ada", f"this is {name}", "2026-11-23T09:41:00.000Z", name))
