"""Presence over several processes, against a model: what readers were told adds up to who is there."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from contextlib import AsyncExitStack
from itertools import count

import pytest

from chatserver.accounts.sessions import Sessions
from chatserver.archive.database import Database
from chatserver.errors import Unavailable
from chatserver.live.hub import Hub
from chatserver.live.open_streams import OpenStreams
from chatserver.live.signals import Signal, Signals
from chatserver.log.wakeups import Wakeups
from chatserver.model.users import User
from chatserver.presence.announcer import Announcer
from chatserver.presence.presence import ROOMS_PER_USER, Presence
from chatserver.presence.register import Change, Pair, PresenceRegister
from chatserver.settings import Settings
from chatserver.support.background import Background
from tests.conftest import World
from tests.helpers.waiting import until

pytestmark = pytest.mark.gen_test(timeout=90)

GRACE, LEASE = 0.3, 0.9
USERS = [User(each, f"user {each}") for each in range(1, 9)]
_rooms = count(1_000_000, 10)


class Process:
    """The parts of one process that presence needs, and the streams that are open there."""

    def __init__(self, settings: Settings) -> None:
        database, self.wakeups = Database(settings.mongodb_uri), Wakeups(settings.redis_url)
        self.open_streams = OpenStreams(Sessions(database, self.wakeups), in_all=1000, per_user=1000)
        self.signals = Signals(self.wakeups, Hub(), self.open_streams)
        self.announcer = Announcer(self.signals, pause_seconds=0.02)
        self.register = PresenceRegister(settings.redis_url, LEASE)
        self.presence = Presence(
            self.register, self.announcer, self.open_streams, grace_seconds=GRACE, lease_seconds=LEASE
        )
        self.streams: Counter[Pair] = Counter()
        self._database = database

    async def __aenter__(self) -> Process:
        background = Background()
        self.wakeups.start(background, lambda *_: None, lambda: None)
        self.signals.start(background)
        self.presence.start(background)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.presence.stop()
        self.announcer.stop()
        await self.signals.stop()
        await self.wakeups.stop()
        await self.register.close()
        self._database.close()

    async def hears(self) -> None:
        """Returns when what others say reaches it."""
        await until(lambda: self.wakeups.is_subscribed)

    def open(self, user: User, room_id: int) -> None:
        self.streams[Pair(room_id, user.id)] += 1
        self.presence._arrive(user, [room_id])

    def close(self, pair: Pair) -> None:
        self.streams -= Counter([pair])
        self.presence._depart(USERS[pair.user_id - 1], [pair.room_id])


class Reader:
    """Believes what it is told."""

    def __init__(self) -> None:
        self.present: set[Pair] = set()
        self.told = 0

    def hear(self, signal: Signal) -> None:
        pair = Pair(signal.data["room_id"], signal.data["user_id"])
        self.told += 1
        (self.present.add if signal.data["here"] else self.present.discard)(pair)


async def agree(process: Process, rooms: list[int], expected: set[Pair], reader: Reader) -> None:
    """Returns when the register and the reader both say what is true."""
    async with asyncio.timeout(20):
        while True:
            users = {Pair(room, user.id) for room in rooms for user in await process.presence.users(room)}
            if users == expected == reader.present:
                return
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("forgets", [False, True], ids=["processes die", "redis forgets"])
async def test_what_readers_are_told_adds_up(settings: Settings, world: World, forgets: bool) -> None:
    dice = random.Random(7)
    rooms = [next(_rooms) + offset for offset in (0, 1, 16)]
    reader = Reader()
    async with AsyncExitStack() as stack:
        witness = await stack.enter_async_context(Process(settings))
        witness.signals.subscribe(reader.hear)
        processes = [witness, *[await stack.enter_async_context(Process(settings)) for _ in range(2)]]
        await witness.hears()
        for turn in range(8):
            for _ in range(40):
                process = dice.choice(processes)
                if process.streams and dice.random() < 0.5:
                    process.close(dice.choice(list(process.streams)))
                else:
                    process.open(dice.choice(USERS), dice.choice(rooms))
                await asyncio.sleep(dice.choice([0, 0, 0, 0.02]))
            if forgets and turn % 2:
                with world.redis_client() as redis:
                    redis.flushall()
            elif turn % 3 == 2:
                dead = processes.pop(dice.randrange(1, len(processes)))
                await dead.presence.stop()
                processes.append(await stack.enter_async_context(Process(settings)))
            expected = {pair for process in processes for pair in process.streams}
            await agree(witness, rooms, expected, reader)


async def test_a_bigger_storm_of_arrivals_is_told_at_a_bearable_pace(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = Process(settings)
    said: list[Signal] = []
    monkeypatch.setattr(process.signals, "send", said.append)
    announcer = Announcer(process.signals, pause_seconds=1_000)
    for user_id in range(1, 5_001):
        announcer.tell(Pair(1, user_id), "somebody", here=True)
    announcer.tell(Pair(2, 1), "somebody", here=True)
    assert [signal.room_id for signal in said] == [1] * 5 + [2], "another room has to wait for this one"
    for user_id in range(11, 5_001):
        announcer.tell(Pair(1, user_id), "somebody", here=False)
    assert announcer._count == 5, "who came and went meanwhile is no news"
    del said[:]
    announcer._on_signal(Signal("presence", {"room_id": 1, "user_id": 7, "user_name": "", "here": False}, room_id=1))
    announcer.stop()
    announcer._go_on()
    assert [signal.data["user_id"] for signal in said] == [6, 8, 9, 10]
    for user_id in range(1, 50_000):
        announcer.tell(Pair(3, user_id), "somebody", here=True)
    assert announcer._count == 20_000
    announcer.stop()
    await process.__aexit__()


async def test_what_is_no_signal_harms_nobody(settings: Settings) -> None:
    heard: list[Signal] = []
    async with Process(settings) as process:
        process.signals.subscribe(heard.append)
        await process.hears()
        for text in ("", "[", "{}", "[1]", '[{"name":"message"}]', '[{"name":"typing","room_id":"x"}]', "\0"):
            await process.wakeups.publish("harbour:signals", text)
        with pytest.raises(ValueError, match="600 bytes"):
            process.signals.send(Signal("typing", {"user_name": "x" * 600}, room_id=1))
        typing = {"room_id": 1, "user_id": 7, "user_name": "é" * 64}
        process.signals.send(Signal("typing", typing, room_id=1))
        await until(lambda: heard)
    assert [signal.data for signal in heard] == [typing]


async def test_a_signal_says_no_more_than_its_kind(settings: Settings) -> None:
    """Whoever reaches Redis can say anything: no open page is handed what no process of ours would have said."""
    heard: list[Signal] = []
    typing = {"room_id": 1, "user_id": 7, "user_name": "Ann"}
    async with Process(settings) as process:
        process.signals.subscribe(heard.append)
        await process.hears()
        for wrong in (
            {"name": "typing", "data": typing | {"room_id": 2}, "room_id": 1},
            {"name": "typing", "data": typing | {"user_name": 5}, "room_id": 1},
            {"name": "presence", "data": typing, "room_id": 1},
            {"name": "read", "data": {}, "room_id": 1, "user_id": 7},
            {"name": "no such signal", "data": {}, "room_id": 1},
        ):
            right = {"name": "typing", "data": typing | {"html": "<b>"}, "room_id": 1}
            await process.wakeups.publish("harbour:signals", json.dumps([wrong, right]))
        await until(lambda: len(heard) == 5)
    assert [signal.data for signal in heard] == [typing] * 5


async def test_signals_that_nobody_takes_are_bounded(settings: Settings) -> None:
    process = Process(settings)
    for number in range(5_000):
        process.signals.send(Signal("typing", {"number": number}, room_id=1))
    assert [signal.data["number"] for signal in process.signals._waiting] == list(range(3_000, 5_000))
    await process.__aexit__()


async def test_a_register_that_forgot_takes_nothing_until_the_lease_is_renewed(
    settings: Settings, world: World
) -> None:
    """Whoever left would else be called gone, though another process is about to say that they are there."""
    process = Process(settings)
    change = Change(Pair(next(_rooms), 1), "somebody", known=False)
    eras = [lease.era for lease in await process.register.renew("a")]
    assert await process.register.note("a", [change], eras) == [change]
    with world.redis_client() as redis:
        redis.flushall()
    with pytest.raises(Unavailable):
        await process.register.note("a", [change._replace(name=None, known=True)], eras)
    await process.register.renew("b")
    with pytest.raises(Unavailable):
        await process.register.note("a", [change._replace(name=None, known=True)], eras)
    eras = [lease.era for lease in await process.register.renew("a")]
    assert await process.register.note("a", [change], eras) == [change]
    await process.__aexit__()


async def test_of_processes_that_died_nothing_stays_even_if_none_was_left(settings: Settings, world: World) -> None:
    """The next one that comes takes it out."""
    rooms = [next(_rooms) + offset for offset in (0, 1, 16)]
    for _ in range(2):
        async with Process(settings) as process:
            await process.hears()
            for user in USERS:
                for room in rooms:
                    process.open(user, room)
            while len(await process.presence.users(rooms[2])) < len(USERS):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    async with Process(settings) as last:
        with world.redis_client() as redis:

            def is_clean() -> bool:
                notes = redis.keys("*:present:by:*")
                return not notes and not any(redis.keys(f"*:room:{room}:present") for room in rooms)

            await until(is_clean)
            name = last.presence._process.encode()
            await until(lambda: all(redis.zrange(f"{{chat{n}}}:present:processes", 0, -1) == [name] for n in range(16)))


async def test_nobody_is_in_more_rooms_at_once_than_a_person_could_look_at(settings: Settings) -> None:
    rooms = [next(_rooms) for _ in range(3 * ROOMS_PER_USER)]
    user = USERS[0]
    async with Process(settings) as process:
        for room in rooms:
            process.open(user, room)
        for room in rooms:  # and leaves again, and comes to others, faster than anybody is gone
            process.close(Pair(room, user.id))
        for room in reversed(rooms):
            process.open(user, room)
        assert len(process.presence._here) == ROOMS_PER_USER
        process.open(USERS[1], rooms[-1])
        for room in rooms:
            process.close(Pair(room, user.id))
        await until(lambda: list(process.presence._here) == [Pair(rooms[-1], USERS[1].id)])
        assert process.presence._rooms_of == {USERS[1].id: 1}
        process.open(user, rooms[-1])
        while await process.presence.users(rooms[-1]) != [user, USERS[1]]:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
