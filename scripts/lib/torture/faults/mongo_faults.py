"""What can happen to MongoDB: its primary steps down, dies or hangs, alone or with another one."""

from __future__ import annotations

import asyncio

from torture.faults.dice import Break, Dice
from torture.people.journal import Fault
from torture.world.servers import MongoMember
from torture.world.world import World


async def mongo_kill(world: World, dice: Dice, fault: Fault) -> None:
    await _kill_members(world, dice, fault, 1)


async def mongo_kill_two(world: World, dice: Dice, fault: Fault) -> None:
    """No majority is left: nothing can be archived until one of them is back."""
    await _kill_members(world, dice, fault, 2)


async def _kill_members(world: World, dice: Dice, fault: Fault, count: int) -> None:
    seconds, victims = dice.seconds(0.0, 2.0, 8.0), await _primary_first(world, dice, count)
    fault.what = f"kill -9 of {_names(victims)}, back after {seconds} s"
    for member in victims:
        await asyncio.to_thread(member.kill)
    try:
        await asyncio.sleep(seconds)
    finally:
        await asyncio.gather(*(asyncio.to_thread(member.start) for member in victims))


async def mongo_step_down(world: World, dice: Dice, fault: Fault) -> None:
    (primary,) = await _primary_first(world, dice, 1)
    fault.what = f"{_names([primary])} steps down"
    await asyncio.to_thread(primary.ask, "replSetStepDown", 5, secondaryCatchUpPeriodSecs=1, force=True)


async def mongo_hang(world: World, dice: Dice, fault: Fault) -> None:
    seconds, victims = dice.seconds(1.0, 6.0, 12.0, 30.0), await _primary_first(world, dice, dice.choice([1, 1, 3]))
    fault.what = f"SIGSTOP of {_names(victims)} for {seconds} s"
    try:
        for member in victims:
            member.pause()
        await asyncio.sleep(seconds)
    finally:
        for member in victims:
            member.resume()


async def _primary_first(world: World, dice: Dice, count: int) -> list[MongoMember]:
    primary = await world.primary()
    others = [member for member in world.members if member is not primary]
    dice.shuffle(others)
    return ([primary, *others] if primary else others)[:count]


def _names(members: list[MongoMember]) -> str:
    return ", ".join(member.folder.name for member in members)


MONGO_FAULTS: dict[str, Break] = {
    "mongo-kill": mongo_kill,
    "mongo-kill-two": mongo_kill_two,
    "mongo-step-down": mongo_step_down,
    "mongo-hang": mongo_hang,
}
