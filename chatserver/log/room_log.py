"""The rooms' logs: a Redis Stream each, whose ids are the order of the room.

Only this folder and its scripts say XADD, XREAD or XRANGE. Redis may forget all of it at any moment. What was
acknowledged is in the archive; `append.lua` says how a log that lost its beginning, its end or everything is noticed,
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
from chatserver.support.group_commit import GroupCommit
from chatserver.support.redis_client import redis_errors_as_unavailable
from chatserver.support.redis_scripts import Call, ScriptRunner, parse_answer

MARKS_LINGER_SECONDS = 0.2
"""How long the pending marks of what is archived are gathered before they are taken off. Nobody waits for that."""


class RoomLog(LogReader):
    """The logs of all rooms. Everything raises Unavailable when Redis does not answer.

    `keep`: how much of them stays here, by which an append notes when the log is to be trimmed.
    """

    def __init__(self, url: str, keep: Keep = KEEP) -> None:
        super().__init__(url)
        # One connection for what changes the log, so that it is changed in the order in which that was asked for.
        self._runner = ScriptRunner(url, (APPEND, CLEAR_PENDING))
        self._keep = keep
        self._appends: GroupCommit[Append, Outcome] = GroupCommit(self._append_all)
        self._clearings: GroupCommit[ClearPending, None] = GroupCommit(self._clear_all)
        self._marks: GroupCommit[ClearPending, None] = GroupCommit(self._clear_all, linger=MARKS_LINGER_SECONDS)
        self._appending: frozenset[int] = frozenset()
        self.own_news = OwnNews()
        """The events that this process appended."""

    def is_appending(self, room_id: int) -> bool:
        """Whether this process has asked for an append there, and was not told yet what became of it."""
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
        """Puts an event at the end of its room's log, unless its client id is there already.

        `branch`: the room's branch, if it is known.
        `base`: what a new one stands on, if there is none.
        `lost`: an id under which this event was there, and that the archive refused.
        `looked_up`: whether the archive was asked for the client id since the branch began.
        """
        outcome = await self._appends.submit(Append(draft, branch, base, lost, looked_up))
        if isinstance(outcome, Appended):
            self._see(outcome.event)
        return outcome

    def mark_archived(self, event: Event) -> None:
        """The event is archived: takes its pending mark off, in a moment. Should that fail, the sweep finds it."""
        self._marks.hand_in(ClearPending(event.room_id, event.id, _name(event), is_archived=True))

    async def flush_marks(self) -> None:
        """Returns when all that was kept has lost its mark, as far as Redis could be reached."""
        await self._marks.join()

    async def remove_entry(self, event: Event | Draft, id: Cursor) -> None:
        """The event does not count under this id: takes it out, with its mark."""
        await self._clearings.submit(ClearPending(event.room_id, id, _name(event), is_archived=False))

    async def drop_mark(self, event_id: EventId) -> None:
        """Takes the mark off an event that is gone."""
        await self._clearings.submit(ClearPending(*event_id, name="", is_archived=True))

    async def remove_redacted(self, room_id: int, ids: Sequence[Cursor]) -> None:
        """Takes entries out that the archive has otherwise: readers find the hole, and look there. Their client ids
        stay known until the room's log is trimmed."""
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

    async def _clear_all(self, settlings: Sequence[ClearPending]) -> Sequence[Any]:
        batch = Batch(settlings)
        answers = batch.answers(await self._runner.run(CLEAR_PENDING, lambda _: batch.calls(ClearPending.arguments)))
        return [parse_answer(answer, lambda _: None) for answer in answers]

    async def close(self) -> None:
        """Finishes what is being written, then lets go of the connections."""
        await self._appends.join()
        await self._clearings.join()
        await self.flush_marks()
        await self._runner.close()
        await super().close()


def _name(event: Event | Draft) -> str:
    return f"{event.user_id}:{event.client_id}"
