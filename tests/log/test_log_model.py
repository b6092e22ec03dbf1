"""Whatever Redis loses, and whoever dies where: a room's log stays one chain, with every acknowledged message in it once.

Real Redis, real mongod, and the parts of two processes at them. What happens when is made up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from itertools import count
from typing import Any, TypeVar

import pytest
from hypothesis import Phase
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from chatserver.errors import Unavailable
from chatserver.log.commands import Keep
from chatserver.log.keys import log_key
from chatserver.model.cursor import BEGINNING, END, Cursor
from chatserver.model.events import Event
from chatserver.settings import Settings
from tests.conftest import World
from tests.helpers.parts import Parts, draft, make_parts
from tests.helpers.promotion import promote
from tests.helpers.redis_answers import as_bytes
from tests.helpers.waiting import until

Answer = TypeVar("Answer")

PROCESSES = st.integers(0, 1)
NAMES = st.integers(0, 11).map(lambda number: f"c-{number}")
PAGES = st.integers(1, 7)

OLD_MS = 30

NO_EXPIRY = -1
"""What PTTL answers for a key that stays."""

PHASES = [Phase.generate]
"""A failure is not made smaller: with real servers that takes minutes."""

rooms = count(6_000_000_000)


class Reader:
    """Somebody who follows the room, page by page, and keeps what came."""

    def __init__(self, start: Cursor) -> None:
        self.start = self.cursor = start
        self.came: list[Event] = []
        self.news: list[Event] = []
        """What came and was not acknowledged by then."""


class LogModel(RuleBasedStateMachine):
    runner: asyncio.Runner
    world: World
    processes: list[Parts]

    def __init__(self) -> None:
        super().__init__()
        self.room = next(rooms)
        self.acknowledged: dict[str, Cursor] = {}
        self.readers = [Reader(BEGINNING)]
        self.redis = self.world.redis_client()
        self.saved: dict[bytes, bytes] = {}

    def run(self, coroutine: Coroutine[Any, Any, Answer]) -> Answer:
        return self.runner.run(coroutine)

    # What people do

    @rule(process=PROCESSES, name=NAMES)
    def post(self, process: int, name: str) -> None:
        self.run(self.publish(process, name))

    @rule(posts=st.lists(st.tuples(PROCESSES, NAMES), min_size=2, max_size=12), flushes=st.integers(0, 3))
    def post_at_once(self, posts: list[tuple[int, str]], flushes: int) -> None:
        async def flush() -> None:
            for _ in range(flushes):
                await asyncio.sleep(0.005)
                self.redis.flushall()

        async def all_of_it() -> None:
            await asyncio.gather(*(self.publish(*post) for post in posts), flush())

        self.run(all_of_it())

    async def publish(self, process: int, name: str) -> None:
        try:
            published = await self.processes[process].publisher.publish(draft(self.room, name))
        except Unavailable:
            return
        assert self.acknowledged.setdefault(name, published.event.id) == published.event.id

    @rule(process=PROCESSES, reader=st.integers(0, 3), limit=PAGES)
    def read(self, process: int, reader: int, limit: int) -> None:
        self.run(self.turn_page(process, self.readers[reader % len(self.readers)], limit))

    @rule()
    def join(self) -> None:
        """Somebody comes, and begins at the newest."""
        self.readers.append(Reader(self.run(self.processes[0].backlog.tip(self.room))))

    async def turn_page(self, process: int, reader: Reader, limit: int) -> list[Event]:
        page = await self.processes[process].backlog.after(self.room, reader.cursor, limit)
        for event in page:
            assert event.id > reader.cursor
            acknowledged = self.acknowledged.get(event.client_id)
            assert event.kind == "void" or acknowledged in {None, event.id}
            reader.came.append(event)
            reader.cursor = event.id
        return page

    # What happens to servers

    @rule(process=PROCESSES, name=NAMES)
    def die_before_archiving(self, process: int, name: str) -> None:
        self.run(self.processes[process].begin(draft(self.room, name)))

    @rule(process=PROCESSES)
    def sweep(self, process: int) -> None:
        self.run(self.processes[process].sweep.sweep())

    @rule()
    def redis_forgets(self) -> None:
        self.redis.flushall()

    @rule()
    def redis_saves(self) -> None:
        dumps = {key: self.redis.dump(key) for key in self.keys()}
        self.saved = {key: dump for key, dump in dumps.items() if dump is not None}  # which expired meanwhile

    @rule()
    def redis_comes_back_as_it_was_saved(self) -> None:
        self.redis.flushall()
        for key, value in self.saved.items():
            self.redis.restore(key, 0, value)
        promote(self.redis)

    @rule(entries=st.integers(0, 5))
    def redis_keeps_little(self, entries: int) -> None:
        """As after trimming; by then everything is archived."""
        self.sweep_all()
        self.redis.xtrim(log_key(self.room), maxlen=entries, approximate=False)

    @rule(process=PROCESSES)
    def what_is_archived_grows_old(self, process: int) -> None:
        """And goes, with all keys of the room but those that expire."""
        self.sweep_all()
        self.run(until(lambda: self.trims_all(process)))

    async def trims_all(self, process: int) -> bool:
        await self.processes[process].trimming.trim()
        return not [key for key in self.redis.keys(f"*:room:{self.room}:*") if self.redis.pttl(key) == NO_EXPIRY]

    def keys(self) -> list[bytes]:
        return [as_bytes(key) for key in self.redis.keys("*")]

    def sweep_all(self) -> None:
        for _ in range(3):
            self.run(self.processes[0].sweep.sweep())
        assert not [place for place in self.run(self.processes[0].log.pending()) if place.room_id == self.room]

    # What has to be so

    def teardown(self) -> None:
        self.sweep_all()
        archived = self.run(self.processes[0].archive.after(self.room, BEGINNING, 1000))
        assert [event.prev for event in archived] == [BEGINNING, *(event.id for event in archived)][: len(archived)]
        counted = {event.client_id: event.id for event in archived if event.kind != "void"}
        assert len(counted) == sum(event.kind != "void" for event in archived)
        assert self.acknowledged.items() <= counted.items()
        assert self.run(self.pages_back(1, 3)) == archived
        for reader in [*self.readers, Reader(BEGINNING)]:
            while self.run(self.turn_page(1, reader, 5)):
                pass
            came = {event.id for event in reader.came if event.kind != "void"}
            assert came >= {id for id in self.acknowledged.values() if id > reader.start}
        self.redis.close()

    async def pages_back(self, process: int, limit: int) -> list[Event]:
        read: list[Event] = []
        cursor = END
        while page := await self.processes[process].backlog.before(self.room, cursor, limit):
            read = page + read
            cursor = page[0].id
        return read


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


def test_the_log_is_one_chain_whatever_is_lost(world: World, settings: Settings, runner: asyncio.Runner) -> None:
    async def open_parts() -> list[Parts]:
        return [await make_parts(settings, Keep(ms=OLD_MS, at_least_ms=0)) for _ in range(2)]

    processes = runner.run(open_parts())

    class Model(LogModel):
        pass

    Model.runner, Model.world, Model.processes = runner, world, processes
    try:
        run_state_machine_as_test(
            Model,
            settings=examples(
                max_examples=40, stateful_step_count=30, deadline=None, phases=PHASES, report_multiple_bugs=False
            ),
        )
    finally:
        for parts in processes:
            runner.run(parts.close())
