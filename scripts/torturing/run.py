"""One run: a world, people in it, faults, calm, judgement."""

from __future__ import annotations

import asyncio
import random
import sys
import traceback
from dataclasses import dataclass
from typing import Any

from torturing.journal import Journal
from torturing.judge import Judge
from torturing.plan import Plan
from torturing.poster import Posters
from torturing.reader import Reader
from torturing.recovery import Recoveries
from torturing.report import Report
from torturing.waiting import until
from torturing.world import World

PEOPLE = 8
CALM_SECONDS = 5.0
"""How long people write on when everything is whole again: this shows that the last fault was got over, too."""

FINISH_SECONDS = 60.0
"""How long messages and readers have then."""

PROGRESS_SECONDS = 5.0


@dataclass(frozen=True)
class Load:
    """`rate`: messages a second in all rooms."""

    rooms: int
    readers: int
    rate: float


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
            await self._suffer(plan, seconds)
            judge = Judge(self._world, self._journal, self._readers, usage)
            await until(lambda: judge.missing() == 0, FINISH_SECONDS)
            await judge.judge()
        finally:
            await self._send_home()
        await judge.judge_usage()
        recoveries = Recoveries(self._journal, self._readers, [link.name for link in self._world.chat_links])
        judge.judge_recoveries(recoveries)
        return Report(self._world, self._journal, self._readers, judge, recoveries), judge

    async def _suffer(self, plan: Plan, seconds: float) -> None:
        self._journal.begin()
        posters = Posters(
            self._journal, self._world.doors, self._world.people, self._world.rooms, self._load.rate, self._seed
        )
        writing = self._start(posters.run())
        self._readers = self._make_readers()
        for reader in self._readers:
            self._start(reader.run())
        self._start(self._say_progress(len(plan)))
        await asyncio.gather(asyncio.sleep(seconds), plan.run(self._world, self._journal))
        self._say("healing")
        if not await self._world.heal():
            self._journal.odd("the chats did not become ready when everything was whole again")
        await asyncio.sleep(CALM_SECONDS)
        writing.cancel()
        left = await posters.finish(FINISH_SECONDS)
        for reader in self._readers:
            reader.calm = True
        self._say(f"quiet; {left} messages not acknowledged, readers catch up")

    def _make_readers(self) -> list[Reader]:
        lots = random.Random(f"readers {self._seed}")
        world = self._world
        return [
            Reader(
                number,
                world.rooms[number % len(world.rooms)],
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
            now = [f"{fault.kind} {fault.what}" for fault in journal.faults if fault.until is None]
            self._say(
                f"{len(journal.faults)}/{faults} faults, {acknowledged}/{len(journal.posts)} acknowledged, "
                f"{sum(len(reader.seen) for reader in self._readers)} read, "
                f"{sum(len(reader.resets) for reader in self._readers)} resets  {'; '.join(now)}"
            )

    def _say(self, text: str) -> None:
        print(f"{self._journal.now():6.0f} s  {text}", flush=True)
