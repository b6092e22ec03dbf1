"""What a post asks of the stores is the same for two readers and for sixty: nothing is read or written for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pymongo
import pytest

from tests.conftest import World
from tests.helpers.browserless import Stream, Visitor

pytestmark = [pytest.mark.gen_test, pytest.mark.one_chat]

POSTS = 20
MORE_READERS = 58
BY_ITSELF = 250
"""Commands that a chat sends by itself meanwhile: leases, sweeps, looks at sessions. One for each new reader and post
would be over a thousand."""


@pytest.fixture
def commands(world: World, mongo: pymongo.MongoClient[dict[str, Any]]) -> Callable[[], int]:
    """Returns how many commands both stores got so far, but for those that ask this."""

    def count() -> int:
        by_mongod = mongo.admin.command("serverStatus")["metrics"]["commands"]
        with world.redis_client() as redis:
            by_redis: dict[str, dict[str, int]] = redis.info("commandstats")
        of_interest = ("find", "insert", "update", "aggregate", "count", "findAndModify", "delete", "getMore")
        asked = [int(by_mongod[name]["total"]) for name in of_interest]
        asked += [stats["calls"] for name, stats in by_redis.items() if name not in {"cmdstat_info", "cmdstat_ping"}]
        return sum(asked)

    return count


async def test_a_post_costs_the_stores_the_same_however_many_read_along(
    ada: Visitor, room: int, visit: Callable[..., Visitor], commands: Callable[[], int]
) -> None:
    async def cost_of_posts(readers: int) -> int:
        streams = []
        for _ in range(readers):
            reader = visit()
            await reader.sign_up()
            streams.append(await reader.stream(room))
        await ada.say(room, "everybody is there")
        for stream in streams:
            await stream.message()
        before = commands()
        for number in range(POSTS):
            said = await ada.say(room, f"said {number}")
        for stream in streams:
            await until_has(stream, said["id"])
        return commands() - before

    few = await cost_of_posts(2)
    assert few >= 3 * POSTS, "the counters count"
    assert await cost_of_posts(MORE_READERS) <= few + BY_ITSELF


async def until_has(stream: Stream, id: str) -> None:
    while (await stream.message())["id"] != id:
        pass
