"""What can happen to Redis: it forgets all or the newest, hangs, changes over, trims, lives an hour off."""

from __future__ import annotations

import asyncio
import contextlib

from redis.exceptions import RedisError

from torture.faults.chat_faults import HOUR
from torture.faults.dice import Break, Dice
from torture.people.journal import Fault
from torture.world.world import World

TRIM = """
local info = redis.call('XINFO', 'STREAM', KEYS[1])
local horizon
for i = 1, #info, 2 do if info[i] == 'last-generated-id' then horizon = info[i + 1] end end
for _, mark in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
    local room, id = string.match(mark, '(%S+) (%S+)')
    if room == ARGV[1] then horizon = id break end
end
return redis.call('XTRIM', KEYS[1], 'MINID', horizon)
"""
"""Trims a room's stream right up to what is not archived yet. (Marks of one millisecond are ordered as text.)"""

GARBAGE = (
    *(b"", b"\0", b"\xff\xfe", b"-", b"1-", b"1-x", b"-1-2", b"archive", b"9223372036854775807-1", b"9" * 5_000),
    *(b"[", b"{}", b"[{}]", b"[[[[", b'[{"name":"typing"}]', b"x" * 300_000, b"0" * 64),
    b'[{"name":"presence","room_id":1,"data":{"room_id":1,"user_id":"x","user_name":null,"here":2}}]',
    b'[{"name":"read","room_id":1,"user_id":1,"data":{"room_id":2,"id":"0-0","unread":-1,"mentions":0}}]',
)
"""What no process of ours says, and what leads nowhere."""


async def redis_kill(world: World, dice: Dice, fault: Fault) -> None:
    """Back soon, it is master as before, and empty; later, the Sentinel has changed over."""
    master, seconds = world.redis.master, dice.choice([0.0, 1.0, 6.0])
    fault.what = f"kill -9 of {master.folder.name}, back with nothing after {seconds} s"
    await asyncio.to_thread(master.kill)
    try:
        await asyncio.sleep(seconds)
    finally:
        await world.redis.restart(master)


async def redis_kill_both(world: World, dice: Dice, fault: Fault) -> None:
    """All that Redis knew is gone."""
    seconds = dice.seconds(0.0, 1.0, 3.0, 10.0)
    fault.what = f"kill -9 of master and replica, back with nothing after {seconds} s"
    for node in world.redis.nodes:
        await asyncio.to_thread(node.kill)
    try:
        await asyncio.sleep(seconds)
    finally:
        for node in (world.redis.master, world.redis.replica):
            await world.redis.restart(node)


async def redis_failover(world: World, dice: Dice, fault: Fault) -> None:
    """The replica stops hearing its master, which writes on for a while and dies: the newest is lost."""
    master, lag = world.redis.master, dice.seconds(0.02, 0.2, 1.0, 3.0)
    fault.what = f"{master.folder.name} dies, its replica heard nothing of the last {lag} s"
    try:
        master.back_door.misbehave("half-open")
        await asyncio.sleep(lag)
        await asyncio.to_thread(master.kill)
        master.back_door.drop_all()  # what it held back must not arrive later
        if not await world.redis.changed_over(master):
            fault.what += "; the Sentinel found no other"
    finally:
        master.back_door.heal()
        await world.redis.restart(master)


async def redis_hang(world: World, dice: Dice, fault: Fault) -> None:
    """Alone, a master that hangs is replaced; together, both are just silent."""
    both, seconds = dice.random() < 0.5, dice.seconds(1.0, 4.0, 10.0, 30.0)
    nodes = world.redis.nodes if both else [world.redis.master]
    fault.what = f"SIGSTOP of {'master and replica' if both else 'the master'} for {seconds} s"
    try:
        for node in nodes:
            node.pause()
        await asyncio.sleep(seconds)
    finally:
        for node in nodes:
            node.resume()
        if not both:
            await world.redis.rejoin(nodes[0])


async def redis_flush(world: World, dice: Dice, fault: Fault) -> None:
    times = dice.choice([1, 5, 20])
    fault.what = f"FLUSHALL, {times} times"
    async with world.redis.master.client() as client:
        for _ in range(times):
            await client.flushall()
            await asyncio.sleep(dice.choice([0.0, 0.005, 0.05, 0.2]))


async def redis_flush_midway(world: World, dice: Dice, fault: Fault) -> None:
    """Between append and confirmation: the archive takes long just then."""
    link, delay, times = (
        await world.primary_link() or world.mongo_links[0],
        dice.choice([0.1, 0.4]),
        dice.choice([3, 6]),
    )
    fault.what = f"FLUSHALL, {times} times, while {link.name} is slow by {delay} s"
    try:
        link.misbehave("delay", delay)
        async with world.redis.master.client() as client:
            for _ in range(times):
                await asyncio.sleep(4 * delay * dice.random())
                await client.flushall()
        await asyncio.sleep(4 * delay)
    finally:
        link.heal()


async def redis_forget_scripts(world: World, dice: Dice, fault: Fault) -> None:
    fault.what = "SCRIPT FLUSH"
    async with world.redis.master.client() as client:
        await client.script_flush()


async def redis_kick(world: World, dice: Dice, fault: Fault) -> None:
    kind = dice.choice(["normal", "pubsub"])
    fault.what = f"CLIENT KILL TYPE {kind}"
    async with world.redis.master.client() as client:
        await client.execute_command("CLIENT", "KILL", "TYPE", kind)  # type: ignore[no-untyped-call]  # it has no types


async def redis_trim(world: World, dice: Dice, fault: Fault) -> None:
    seconds = dice.seconds(1.0, 3.0, 6.0)
    fault.what = f"XTRIM right up to what is archived, all rooms, again and again for {seconds} s"
    async with world.redis.master.client() as client:
        trim = client.register_script(TRIM)
        deadline = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < deadline:
            for room in world.rooms:
                tag = f"{{chat{room % 16}}}"
                with contextlib.suppress(RedisError):  # there is no such stream just now
                    await trim(keys=[f"{tag}:room:{room}:log", f"{tag}:pending"], args=[room])
            await asyncio.sleep(0.05)


async def redis_clock(world: World, dice: Dice, fault: Fault) -> None:
    node, shift, seconds = world.redis.master, dice.choice([-HOUR, HOUR]), dice.seconds(3.0, 10.0, 30.0)
    fault.what = f"the clock of {node.folder.name} {shift:+d} s for {seconds} s"
    try:
        node.clock.set(shift)
        await asyncio.sleep(seconds)
    finally:
        node.clock.set(0)


async def redis_garbage(world: World, dice: Dice, fault: Fault) -> None:
    """Somebody else who reaches Redis says on every channel what nobody can read, or what never was."""
    times = dice.choice([1, 20, 100])
    fault.what = f"garbage on every channel, {times} times"
    async with world.redis.master.client() as client:
        for _ in range(times):
            for channel in await client.pubsub_channels("*"):
                await client.publish(channel, dice.choice(GARBAGE))
            await asyncio.sleep(dice.choice([0.0, 0.01, 0.1]))


REDIS_FAULTS: dict[str, Break] = {
    "redis-kill": redis_kill,
    "redis-kill-both": redis_kill_both,
    "redis-failover": redis_failover,
    "redis-hang": redis_hang,
    "redis-flush": redis_flush,
    "redis-flush-midway": redis_flush_midway,
    "redis-forget-scripts": redis_forget_scripts,
    "redis-kick": redis_kick,
    "redis-trim": redis_trim,
    "redis-clock": redis_clock,
    "redis-garbage": redis_garbage,
}
