"""One run: a world, people in it, faults, calm, judgement."""

from __future__ import annotations

import asyncio
import random
import sys
import traceback
from dataclasses import dataclass
from typing import Any

from common.waiting import until
from torture.faults.plan import Plan
from torture.judging.judge import PENDING_SECONDS, Judge
from torture.judging.recovery import Recoveries
from torture.judging.report import Report
from torture.people.changer import Changers
from torture.people.journal import Journal
from torture.people.poster import Posters
from torture.people.reader import Reader
from torture.world.world import World

PEOPLE = 8
CALM_SECONDS = 5.0
"""How long people write on when everything is whole again: this shows that the last fault was got over, too."""

FINISH_SECONDS = 60.0
"""How long messages and readers have then."""

PROGRESS_SECONDS = 5.0


@dataclass(frozen=True)
class Load:
    """`rate`: messages a second in all rooms; `changes`: edits, deletions and reactions a second."""

    rooms: int
    readers: int
    rate: float
    changes: float


class Run:
    def __init__(self, world: World, load: Load, seed: int) -> None:
        self._world = world
        self._load = load
        self._seed = seed
        self._journal = Journal()
        self._readers: list[Reader] = []
        self._tasks: list[asyncio.Task[Any]] = []

    async def go(self, plan: Plan, seconds: float) -> tuple[Report, Judge]:
        await self._world.start(PEOPLE, self._load.rooms)
        usage = {chat.name: held for chat in self._world.chats if (held := chat.usage())}
        try:
            posters = await self._suffer(plan, seconds)
            judge = Judge(self._world, self._journal, self._readers, usage)
            # What dead processes left is archived before the last words, and so before what readers wait for.
            await until(judge.nothing_is_pending, PENDING_SECONDS)
            await posters.say_last_words(FINISH_SECONDS)
            judge = Judge(self._world, self._journal, self._readers, usage)
            await until(lambda: judge.missing() == 0, FINISH_SECONDS)
            await judge.judge()
        finally:
            await self._send_home()
        await judge.judge_usage()
        recoveries = Recoveries(self._journal, self._readers, [link.name for link in self._world.chat_links])
        judge.judge_recoveries(recoveries)
        return Report(self._world, self._journal, self._readers, judge, recoveries), judge

    async def _suffer(self, plan: Plan, seconds: float) -> Posters:
        """Returns when everything is whole again, and those who wrote have nothing under way any more."""
        self._journal.begin()
        posters = Posters(
            self._journal, self._world.doors, self._world.people, self._world.rooms, self._load.rate, self._seed
        )
        changers = Changers(self._journal, self._world.doors, self._world.people, self._load.changes, self._seed)
        writing = [self._start(posters.run()), self._start(changers.run())]
        self._readers = self._make_readers()
        for reader in self._readers:
            self._start(reader.run())
        self._start(self._say_progress(len(plan)))
        await asyncio.gather(asyncio.sleep(seconds), plan.run(self._world, self._journal))
        self._say("healing")
        if not await self._world.heal():
            self._journal.odd("the chats did not become ready when everything was whole again")
        await asyncio.sleep(CALM_SECONDS)
        for each in writing:
            each.cancel()
        changers.hurry()
        await posters.finish(FINISH_SECONDS)
        await changers.finish(FINISH_SECONDS)
        for reader in self._readers:
            reader.calm = True
        left = sum(post.acknowledged is None and not post.refused for post in self._journal.posts)
        self._say(f"quiet; {left} messages not acknowledged, readers catch up")
        return posters

    def _make_readers(self) -> list[Reader]:
        """Every third follows many rooms on one stream, in an order of its own."""
        lots = random.Random(f"readers {self._seed}")
        world = self._world
        many = range(2, len(world.rooms) + 1)
        return [
            Reader(
                number,
                lots.sample(world.rooms, lots.choice(many))
                if number % 3 == 2 and many
                else [world.rooms[number % len(world.rooms)]],
                lots.choice(world.people),
                self._journal,
                world.doors,
                self._seed,
                lots.choice(["now", "beginning", "page"]),
            )
            for number in range(self._load.readers)
        ]

    def _start(self, work: Any) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        task.add_done_callback(self._on_end)
        self._tasks.append(task)
        return task

    def _on_end(self, task: asyncio.Task[Any]) -> None:
        """One of ours that ended by itself is a bug of ours: the run is worth nothing then."""
        if not task.cancelled() and (error := task.exception()) is not None:
            print("".join(traceback.format_exception(error)), file=sys.stderr, flush=True)
            self._journal.odd(f"the torture itself failed: {error!r}")

    async def _send_home(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _say_progress(self, faults: int) -> None:
        journal = self._journal
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            acknowledged = sum(post.acknowledged is not None for post in journal.posts)
            changed = sum(wish.acknowledged is not None for wish in journal.wishes)
            tracks = [track for reader in self._readers for track in reader.tracks.values()]
            now = [f"{fault.kind} {fault.what}" for fault in journal.faults if fault.until is None]
            self._say(
                f"{len(journal.faults)}/{faults} faults, {acknowledged}/{len(journal.posts)} acknowledged, "
                f"{changed}/{len(journal.wishes)} changes, {sum(len(track.seen) for track in tracks)} read, "
                f"{sum(len(track.resets) for track in tracks)} resets  {'; '.join(now)}"
            )

    def _say(self, text: str) -> None:
        print(f"{self._journal.now():6.0f} s  {text}", flush=True)
