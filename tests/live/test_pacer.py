"""When rounds go out: at once where it costs little, together where it costs much, and never late."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import pairwise
from unittest.mock import patch

import pytest

from chatserver.live.pacer import MAX_REST_SECONDS, SAMPLE_SECONDS, SHARE, Pacer

CHEAP, DEAR, DEAREST = 0.00001, 0.01, 0.1
"""What a round takes, in seconds."""

DEAR_PERIOD = DEAR / SHARE
"""From one dear round to the next, in seconds, while nothing else happens."""


class JumpingLoop(asyncio.SelectorEventLoop):
    """Its clock stands still, but for rounds, and jumps over every wait."""

    now = 100.0
    worked = 0.0
    """What the thread has done, in seconds."""

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        timers = [timer.when() for timer in self._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
        if timers and not self._ready:  # type: ignore[attr-defined]
            self.now = max(self.now, min(timers))
        super()._run_once()  # type: ignore[misc]


class Room:
    """What is said here waits in `said` for a round. `rounds`: when each began, and how much it brought."""

    def __init__(self, loop: JumpingLoop, cost: float) -> None:
        self.loop, self.cost = loop, cost
        self.said = 0
        self.rounds: list[tuple[float, int]] = []
        self.pacer = Pacer(self.go)

    def say(self, count: int = 1) -> None:
        self.said += count
        self.pacer.ask()

    def go(self) -> None:
        with self.pacer.round():
            self.rounds.append((self.loop.now - 100, self.said))
            self.said = 0
            self.loop.now += self.cost
            self.loop.worked += self.cost


def play(cost: float, talk: Callable[[Room], Awaitable[None]]) -> list[tuple[float, int]]:
    loop = JumpingLoop()

    async def rounds() -> list[tuple[float, int]]:
        room = Room(loop, cost)
        await talk(room)
        await asyncio.sleep(60)
        assert room.said == 0
        return room.rounds

    with patch.multiple("chatserver.live.pacer.time", perf_counter=loop.time, thread_time=lambda: loop.worked):
        try:
            return loop.run_until_complete(rounds())
        finally:
            loop.close()


def about(at: float, count: int) -> object:
    """Equals a round at this time, but for what floats lose, that brought so much."""
    return pytest.approx(at), count


def periods(rounds: list[tuple[float, int]]) -> list[float]:
    return [later - earlier for (earlier, _), (later, _) in pairwise(rounds)]


async def steadily(room: Room, every: float, count: int) -> None:
    started = room.loop.now
    for number in range(count):
        await asyncio.sleep(started + number * every - room.loop.now)
        room.say()


def test_where_a_round_costs_little_nothing_waits() -> None:
    assert play(CHEAP, lambda room: steadily(room, 0.001, 50)) == [about(n * 0.001, 1) for n in range(50)]


def test_what_is_said_now_and_then_goes_out_at_once_whatever_it_costs() -> None:
    every = DEAREST + MAX_REST_SECONDS + 0.001
    assert play(DEAREST, lambda room: steadily(room, every, 20)) == [about(n * every, 1) for n in range(20)]


def test_what_is_said_during_a_rest_goes_out_together_when_it_is_over() -> None:
    first, second = play(DEAR, lambda room: steadily(room, DEAR_PERIOD / 3, 3))
    assert first == about(0, 1)
    assert second == about(DEAR_PERIOD, 2)


def test_no_rest_is_longer_than_people_notice() -> None:
    _, second = play(DEAREST, lambda room: steadily(room, DEAREST + MAX_REST_SECONDS / 2, 2))
    assert second == about(DEAREST + MAX_REST_SECONDS, 1)


def test_in_a_hot_room_most_of_an_idle_process_is_left_to_others() -> None:
    rounds = play(DEAR, lambda room: steadily(room, 0.0025, 400))
    assert sum(count for _, count in rounds) == 400
    assert periods(rounds) == [pytest.approx(DEAR_PERIOD)] * (len(rounds) - 1)


@pytest.mark.parametrize("busy", [0.25, 0.5, 0.6])
def test_the_busier_the_process_is_with_other_things_the_longer_is_the_rest(busy: float) -> None:
    async def talk(room: Room) -> None:
        started = room.loop.now
        for number in range(1_000):
            room.say()
            room.loop.worked += 0.0025 * busy
            await asyncio.sleep(started + number * 0.0025 - room.loop.now)

    settled = periods(play(DEAR, talk))[-int(SAMPLE_SECONDS / DEAR_PERIOD) : -1]
    assert settled == [pytest.approx(DEAR_PERIOD / (1 - busy), rel=0.1)] * len(settled)


def test_who_stopped_is_not_called() -> None:
    async def talk(room: Room) -> None:
        room.say()
        room.say()
        room.pacer.stop()
        await asyncio.sleep(1)
        assert [count for _, count in room.rounds] == [1]
        room.say()

    assert [count for _, count in play(DEAR, talk)] == [1, 2]


def test_a_round_that_goes_wrong_ends_in_a_rest_too() -> None:
    async def talk(room: Room) -> None:
        with suppress(ZeroDivisionError), room.pacer.round():
            room.loop.now += DEAR
            raise ZeroDivisionError
        room.say()
        assert room.rounds == []

    assert play(DEAR, talk) == [about(DEAR_PERIOD, 1)]
