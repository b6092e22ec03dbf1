"""Quotas without HTTP: what they allow over time, over processes, and while Redis is away."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
import redis

from chatserver.errors import TooMany
from chatserver.quotas import counters as counters_module
from chatserver.quotas.counters import ANSWER_SECONDS, PREFIX, Counters, MemoryStore
from chatserver.quotas.limiter import Limiter
from chatserver.quotas.quotas import TABLE, Quota
from tests.conftest import World

pytestmark = pytest.mark.gen_test(timeout=60)

NOBODY_THERE = "redis://127.0.0.1:9/0"
"""Port 9 (discard)."""

FIVE = Quota("five", "user", 5, 3_600)
QUICK = Quota("quick", "user", 6, 1)
LARGE = Quota("large", "user", 100, 3_600)


@pytest.fixture
def key() -> str:
    """Of somebody new."""
    return uuid4().hex


@contextlib.asynccontextmanager
async def counting(url: str) -> AsyncIterator[Counters]:
    counters = Counters(url)
    try:
        yield counters
    finally:
        await counters.close()


async def spent(limiter: Limiter, quota: Quota, key: str, tries: int) -> int:
    """How many of these tries, one after the other, are let through."""
    through = 0
    for _ in range(tries):
        with contextlib.suppress(TooMany):
            await limiter.spend(quota, key)
            through += 1
    return through


@pytest.fixture(params=["Redis", "memory"])
def url(request: pytest.FixtureRequest, world: World) -> str:
    return world.redis.url if request.param == "Redis" else NOBODY_THERE


async def test_a_burst_is_let_through_and_no_more(url: str, key: str) -> None:
    async with counting(url) as counters:
        limiter = Limiter(counters)
        assert await spent(limiter, FIVE, key, 8) == 5
        assert await spent(limiter, FIVE, f"{key} of somebody else", 8) == 5


async def test_all_at_once_are_counted_one_by_one(url: str, key: str) -> None:
    async with counting(url) as counters:
        limiter = Limiter(counters)
        answers = await asyncio.gather(*(limiter.spend(LARGE, key) for _ in range(150)), return_exceptions=True)
        assert answers.count(None) == 100
        assert sum(isinstance(answer, TooMany) for answer in answers) == 50


async def test_what_was_told_to_wait_gets_through_after_the_wait(url: str, key: str) -> None:
    """Over several windows: each time what was refused is let through when it was said that it would be."""
    async with counting(url) as counters:
        for _ in range(20):
            while await counters.take(QUICK, key, 1):
                pass
            seconds = await counters.seconds_until_free(QUICK, key, 1)
            assert 0 <= seconds <= 2 * QUICK.seconds
            await asyncio.sleep(seconds + 0.01)
            assert await counters.take(QUICK, key, 1)


async def test_over_time_it_is_the_burst_and_then_the_rate(url: str, key: str) -> None:
    async with counting(url) as counters:
        limiter = Limiter(counters)
        began, through = time.monotonic(), 0
        while time.monotonic() - began < 3:
            through += await spent(limiter, QUICK, key, 1)
            await asyncio.sleep(0.002)
        passed = time.monotonic() - began
        assert QUICK.burst < through <= QUICK.burst * (1 + passed / QUICK.seconds) + 1


async def test_a_refusal_says_when_to_come_again_in_whole_seconds(url: str, key: str) -> None:
    async with counting(url) as counters:
        limiter = Limiter(counters)
        await spent(limiter, FIVE, key, 5)
        with pytest.raises(TooMany) as refused:
            await limiter.spend(FIVE, key)
        assert refused.value.status == 429
        assert refused.value.text == FIVE.text
        assert 1 <= (refused.value.retry_after or 0) <= 2 * FIVE.seconds


async def test_who_is_refused_costs_no_more_questions(world: World, key: str) -> None:
    """Until the wait is over it is this process that refuses."""
    async with counting(world.redis.url) as counters:
        limiter = Limiter(counters)
        await spent(limiter, FIVE, key, 6)
        with world.redis_client() as client:
            before = client.info("stats")["total_commands_processed"]
            assert await spent(limiter, FIVE, key, 300) == 0
            assert client.info("stats")["total_commands_processed"] - before < 300


async def test_two_processes_together_let_no_more_through_than_one(world: World, key: str) -> None:
    async with counting(world.redis.url) as here, counting(world.redis.url) as there:
        both = [Limiter(here), Limiter(there)]
        through = 0
        for _ in range(100):
            for limiter in both:
                through += await spent(limiter, LARGE, key, 1)
        assert LARGE.burst - 2 * LARGE.lease <= through <= LARGE.burst


async def test_many_processes_that_are_asked_in_turn_give_half_of_it_at_least(world: World, key: str) -> None:
    async with contextlib.AsyncExitStack() as stack:
        limiters = [Limiter(await stack.enter_async_context(counting(world.redis.url))) for _ in range(30)]
        through = sum([await spent(limiter, LARGE, key, 1) for _ in range(5) for limiter in limiters])
        assert LARGE.burst // 2 <= through <= LARGE.burst


async def test_most_is_spent_without_asking(world: World, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with counting(world.redis.url) as counters:
        asked = 0
        take = counters.take

        async def counted(quota: Quota, key: str, amount: int) -> bool:
            nonlocal asked
            asked += 1
            return await take(quota, key, amount)

        monkeypatch.setattr(counters, "take", counted)
        assert await spent(Limiter(counters), LARGE, key, 100) == 100
        assert asked <= 25


async def test_a_redis_that_answers_nothing_holds_nobody_up_twice(key: str) -> None:
    """It takes connections and is silent: the first wait ends, and then nobody asks it for a while."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        async with counting(f"redis://127.0.0.1:{port}/0") as counters:
            limiter = Limiter(counters)
            began = time.monotonic()
            answers = await asyncio.gather(*(limiter.spend(FIVE, key) for _ in range(8)), return_exceptions=True)
            assert answers.count(None) == 5
            assert await spent(limiter, FIVE, f"{key} of somebody else", 8) == 5
            assert time.monotonic() - began < 20 * ANSWER_SECONDS


async def test_what_is_counted_in_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters_module, "COUNTER_CACHE_SIZE", 10)
    store = MemoryStore()
    for number in range(1_000):
        assert await store.acquire_sliding_window_entry(f"key {number}", 5, 60)
    assert len(store._windows) == 10


async def test_without_limits_nobody_is_asked(key: str) -> None:
    limiter = Limiter(None)
    assert await spent(limiter, FIVE, key, 50) == 50
    await limiter.check(FIVE, key)
    await limiter.count(FIVE, key)
    await limiter.forget(FIVE, key)
    assert not await limiter.is_used_up(FIVE, key)


@pytest.fixture
def forgotten(world: World) -> Iterator[redis.Redis]:
    with world.redis_client() as client:
        for name in client.scan_iter(f"{PREFIX}*"):
            client.delete(name)
        yield client


async def test_nothing_stays_in_redis(world: World, forgotten: redis.Redis, key: str) -> None:
    async with counting(world.redis.url) as counters:
        for quota in TABLE:
            assert await counters.take(quota, key, 1)
            await counters.seconds_until_free(quota, key, 1)
    names = list(forgotten.scan_iter(f"{PREFIX}*"))
    assert len(names) >= len(TABLE)
    for name in names:
        assert 0 < forgotten.pttl(name) <= 2_000 * max(quota.seconds for quota in TABLE)


async def test_what_was_counted_can_be_forgotten(url: str, key: str) -> None:
    async with counting(url) as counters:
        limiter = Limiter(counters)
        assert await spent(limiter, FIVE, key, 6) == 5
        with pytest.raises(TooMany):
            await limiter.check(FIVE, key)
        await limiter.forget(FIVE, key)
        await limiter.check(FIVE, key)
        assert await spent(limiter, FIVE, key, 6) == 5
