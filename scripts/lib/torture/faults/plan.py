"""Which fault comes when: drawn from a seed, so that a run can be repeated."""

from __future__ import annotations

import asyncio
import contextlib
import random

from redis.exceptions import RedisError

from common.private_server import StartError
from torture.faults.chat_faults import CHAT_FAULTS
from torture.faults.dice import Break, Dice
from torture.faults.link_faults import LINK_FAULTS, PARTS
from torture.faults.mongo_faults import MONGO_FAULTS
from torture.faults.redis_faults import REDIS_FAULTS
from torture.people.journal import Journal
from torture.world.clock import find_library
from torture.world.world import World

KINDS: dict[str, Break] = CHAT_FAULTS | REDIS_FAULTS | MONGO_FAULTS | LINK_FAULTS

MORE_PARTS = {"redis-flush-midway": ["mongo"]}
"""What a kind breaks besides the part for which it is named."""

FIRST_SECONDS = 2.0
"""Time under load before the first fault."""


def possible(wanted: list[str]) -> list[str]:
    """The kinds of these names; a part's name (`redis`) stands for all of its kinds, nothing for all there are.

    Raises ValueError. Kinds for which a program is missing are left out, unless they are wanted by name.
    """
    if unknown := [name for name in wanted if not any(_is_meant(kind, name) for kind in KINDS)]:
        raise ValueError(f"no such fault: {', '.join(unknown)}; there are {', '.join(KINDS)}")
    kinds = [kind for kind in KINDS if not wanted or any(_is_meant(kind, name) for name in wanted)]
    if find_library() is None:
        if any(name.endswith("-clock") for name in wanted):
            raise ValueError("a clock that can be set needs libfaketime; on Debian: apt-get install libfaketime")
        kinds = [kind for kind in kinds if not kind.endswith("-clock")]
    return kinds


def _is_meant(kind: str, name: str) -> bool:
    return kind == name or kind.startswith(f"{name}-")


class Plan:
    """Two faults never break the same part at once; those of different parts overlap."""

    def __init__(self, seed: int, kinds: list[str], count: int, seconds: float, longest: float) -> None:
        lots = random.Random(f"plan {seed}")
        bag = [kind for _ in range(-(-count // len(kinds))) for kind in lots.sample(kinds, len(kinds))]
        times = sorted(lots.uniform(FIRST_SECONDS, max(FIRST_SECONDS, seconds)) for _ in range(count))
        self.faults = [(at, kind, lots.getrandbits(32)) for at, kind in zip(times, bag, strict=False)]
        self._longest = longest
        self._parts = {part: asyncio.Lock() for part in PARTS}

    def __len__(self) -> int:
        return len(self.faults)

    async def run(self, world: World, journal: Journal) -> None:
        async with asyncio.TaskGroup() as group:
            for at, kind, seed in self.faults:
                await asyncio.sleep(max(0.0, at - journal.now()))
                group.create_task(self._inject(world, journal, kind, Dice(seed, self._longest)))

    async def _inject(self, world: World, journal: Journal, kind: str, dice: Dice) -> None:
        parts = sorted([kind.partition("-")[0], *MORE_PARTS.get(kind, [])])  # in one order: nobody waits in a circle
        async with contextlib.AsyncExitStack() as stack:
            for part in parts:
                await stack.enter_async_context(self._parts[part])
            if "redis" in parts:
                await world.redis.whole()
            with journal.fault(kind) as fault:
                try:
                    await KINDS[kind](world, dice, fault)
                except (RedisError, OSError, TimeoutError, StartError) as error:
                    fault.what += f" (gave up: {error!r})"
