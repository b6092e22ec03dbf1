"""A database goes away under load and comes back: torture's world, people and judge, with one fault of known length."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import redis

from chatserver.log.keys import PARTITIONS
from strain.findings import Findings
from torture.judging.report import Report
from torture.people.journal import Journal
from torture.run import Load, Run
from torture.world.world import World

ROOMS = 3
READERS = 200
RATE = 50.0
CHANGES = 5.0
"""Edits, deletions and reactions a second."""

CALM_SECONDS = 15.0
"""Before the fault and after it."""

AWAY_SECONDS = 2.0


class OneFault:
    """Stands where torture has its plan."""

    def __init__(self, kind: str, harm: Callable[[World], Awaitable[None]]) -> None:
        self._kind = kind
        self._harm = harm
        self.after: Callable[[World], Awaitable[None]] | None = None

    def __len__(self) -> int:
        return 1

    async def run(self, world: World, journal: Journal) -> None:
        await asyncio.sleep(CALM_SECONDS)
        with journal.fault(self._kind):
            await self._harm(world)
        if self.after is not None:
            await self.after(world)
        await asyncio.sleep(CALM_SECONDS)


async def empty_redis(size: float) -> Findings:
    """`size` 1: kill -9 of all of Redis, back with nothing, under 200 readers and 50 posts a second."""

    async def harm(world: World) -> None:
        for node in world.redis.nodes:
            await asyncio.to_thread(node.kill)
        await asyncio.sleep(AWAY_SECONDS)
        for node in (world.redis.master, world.redis.replica):
            await world.redis.restart(node)

    findings, report = await _suffer("Redis is killed and comes back empty", OneFault("redis-kill-both", harm), size)
    _recovery(findings, report, 2.0)
    return findings


async def no_archive(size: float) -> Findings:
    """`size` 1: all mongod are stopped for 60 s under 200 readers and 50 posts a second."""
    waited: list[float] = []

    async def harm(world: World) -> None:
        for member in world.members:
            member.pause()
        await asyncio.sleep(60 * size)
        for member in world.members:
            member.resume()

    async def after(world: World) -> None:
        began = asyncio.get_running_loop().time()
        while (left := _pending(world)) and asyncio.get_running_loop().time() - began < 60:
            print(f"  {left} events are pending", flush=True)
            await asyncio.sleep(0.5)
        waited.append(asyncio.get_running_loop().time() - began)

    fault = OneFault("mongo-stop-all", harm)
    fault.after = after
    findings, report = await _suffer("all of MongoDB stands still", fault, size)
    findings.figure("pending is empty after", waited[0], " s", goal=10)
    _recovery(findings, report, None)
    return findings


def _pending(world: World) -> int:
    """Events in Redis that are not archived yet, but those that are under way just now."""
    with redis.Redis(port=world.redis.master.port, protocol=2) as client:
        now = client.time()[0] * 1000
        return sum(client.zcount(f"{{chat{number}}}:pending", 0, now - 2_000) for number in range(PARTITIONS))


async def _suffer(case: str, fault: OneFault, size: float) -> tuple[Findings, Report]:
    findings = Findings(case)
    world = World()
    try:
        run = Run(world, Load(ROOMS, max(10, round(READERS * size)), max(5.0, RATE * size), CHANGES), seed=1)
        plan: Any = fault
        report, judge = await run.go(plan, 0)
    finally:
        await world.stop(keep=False)
    findings.wrong += [f"{violation.rule}: {violation.text}" for violation in judge.violations]
    return findings, report


def _recovery(findings: Findings, report: Report, goal: float | None) -> None:
    said = report.json({})
    for name in ("posts", "acknowledged", "answered 503", "readers' events", "resumes"):
        findings.figure(name, said["numbers"][name])
    for recovery in said["kinds"].values():
        findings.figure("posts and readers of both chats are well after", recovery["slowest"], " s", goal=goal)
