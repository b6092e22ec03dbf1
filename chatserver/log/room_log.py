"""The rooms' logs: a Redis Stream each, whose ids are the order of the room.

Only this folder and its scripts use XADD, XREAD or XRANGE. Redis may forget all of it at any moment. Acknowledged
events are in the archive; `append.lua` describes how a log that lost its beginning, its end or everything is noticed,
and goes on as a new branch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chatserver.log.batch import Batch
from chatserver.log.commands import (
    APPEND,
    BASE_MS,
    CLEAR_PENDING,
    KEEP,
    MAX_PENDING,
    REPEAT_MS,
    Append,
    Appended,
    Base,
    ClearPending,
    Keep,
    Outcome,
)
from chatserver.log.keys import due_key, log_key, pending_key
from chatserver.log.log_reader import LogReader
from chatserver.log.own_news import OwnNews
from chatserver.model.cursor import Cursor
from chatserver.model.event_id import EventId
from chatserver.model.events import Draft, Event
from chatserver.support.group_commit import PATIENCE_SECONDS, GroupCommit
from chatserver.support.redis_client import redis_errors_as_unavailable
from chatserver.support.redis_scripts import Call, ScriptRunner, parse_answer

MARKS_LINGER_SECONDS = 0.2
"""How long the pending marks of archived events are collected before they are cleared. No caller waits for that."""


class RoomLog(LogReader):
    """The logs of all rooms. Every method raises Unavailable when Redis does not answer.

    `keep`: the entries that stay here; an append notes by it when to trim the log.
    """

    def __init__(self, url: str, keep: Keep = KEEP) -> None:
        super().__init__(url)
        # One connection for all changes of the logs, so that they are made in the order of the calls.
        self._runner = ScriptRunner(url, (APPEND, CLEAR_PENDING))
        self._keep = keep
        self._appends: GroupCommit[Append, Outcome] = GroupCommit(self._append_all, patience=PATIENCE_SECONDS)
        self._clearings: GroupCommit[ClearPending, None] = GroupCommit(self._clear_all)
        self._marks: GroupCommit[ClearPending, None] = GroupCommit(self._clear_all, linger=MARKS_LINGER_SECONDS)
        self._appending: frozenset[int] = frozenset()
        self.own_news = OwnNews()
        """The events that this process appended."""

    def is_appending(self, room_id: int) -> bool:
        """Returns True if this process has asked for an append in the room, and has not published its outcome yet."""
        return room_id in self._appending or self.own_news.is_waiting(room_id)

    async def append(
        self,
        draft: Draft,
        branch: Cursor | None,
        *,
        base: Base | None = None,
        lost: Cursor | None = None,
        looked_up: bool = True,
    ) -> Outcome:
        """Appends an event to its room's log, unless its client id is there already.

        `branch`: the room's branch, if it is known.
        `base`: the base of a new branch, if there is none.
        `lost`: an id under which this event was there, and that the archive refused.
        `looked_up`: the archive was asked for the client id since the branch began.
        """
        outcome = await self._appends.submit(Append(draft, branch, base, lost, looked_up))
        if isinstance(outcome, Appended):
            self._see(outcome.event)
        return outcome

    def mark_archived(self, event: Event) -> None:
        """Clears the pending mark of an archived event, in a moment. If that fails, the sweep does it."""
        self._marks.hand_in(ClearPending(event.room_id, event.id, _name(event), is_archived=True))

    async def flush_marks(self) -> None:
        """Returns when the marks of all archived events are cleared, as far as Redis could be reached."""
        await self._marks.join()

    async def remove_entry(self, event: Event | Draft, id: Cursor) -> None:
        """Removes an event that does not count under this id, and its mark."""
        await self._clearings.submit(ClearPending(event.room_id, id, _name(event), is_archived=False))

    async def drop_mark(self, event_id: EventId) -> None:
        """Clears the mark of an event that is gone."""
        await self._clearings.submit(ClearPending(*event_id, name="", is_archived=True))

    async def remove_redacted(self, room_id: int, ids: Sequence[Cursor]) -> None:
        """Removes entries that the archive has without their text: readers find the hole, and read the archive. Their
        client ids stay known until the room's log is trimmed."""
        with redis_errors_as_unavailable():
            await self._reader.xdel(log_key(room_id), *map(str, ids))

    async def _append_all(self, appends: Sequence[Append]) -> Sequence[Any]:
        batch = Batch(appends)

        def calls(server: bytes) -> list[Call]:
            return batch.calls(
                lambda append: append.arguments(self.seen(append.room_id)),
                server,
                MAX_PENDING,
                REPEAT_MS,
                BASE_MS,
                *self._keep,
                keys_of=(pending_key, due_key),
            )

        self._appending = frozenset(append.room_id for append in appends)
        try:
            answers = batch.answers(await self._runner.run(APPEND, calls))
        finally:
            self._appending = frozenset()
        outcomes = [parse_answer(answer, append.outcome) for append, answer in zip(appends, answers, strict=True)]
        self.own_news.publish(
            outcome.event for outcome in outcomes if isinstance(outcome, Appended) and not outcome.repeated
        )
        return outcomes

    async def _clear_all(self, clearings: Sequence[ClearPending]) -> Sequence[Any]:
        batch = Batch(clearings)
        answers = batch.answers(await self._runner.run(CLEAR_PENDING, lambda _: batch.calls(ClearPending.arguments)))
        return [parse_answer(answer, lambda _: None) for answer in answers]

    async def close(self) -> None:
        """Finishes all writes, then closes the connections."""
        await self._appends.join()
        await self._clearings.join()
        await self.flush_marks()
        await self._runner.close()
        await super().close()


def _name(event: Event | Draft) -> str:
    return f"{event.user_id}:{event.client_id}"
