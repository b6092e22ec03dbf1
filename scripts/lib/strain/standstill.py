"""Readers that stand still beside readers that do not: nobody waits for them, and they miss nothing either."""

from __future__ import annotations

import asyncio

from strain.audience import Audience
from strain.findings import Findings, percentile
from strain.record import judge
from strain.stage import Stage, held, stage
from strain.writer import Writer

CATCH_UP_SECONDS = 60.0
ROUNDS = 2
"""Each with and without, so that a slow minute of the machine strikes both."""


async def stopped_readers(size: float) -> Findings:
    """`size` 1: 100 stopped readers beside 900 at 50 messages a second, two minutes of each in all."""
    findings = Findings("stopped readers beside others")
    seconds = 120 * size / ROUNDS
    delays: dict[bool, list[float]] = {True: [], False: []}
    async with stage() as here:
        await _listen(here, findings, delays, size, 5.0, stopped=False, warm=True)
        before = held(here.chats[0]).megabytes
        peak = before
        for _ in range(ROUNDS):
            for stopped in (False, True):
                peak = max(peak, await _listen(here, findings, delays, size, seconds, stopped=stopped))
    p99 = {stopped: percentile(each, 0.99) * 1000 for stopped, each in delays.items()}
    findings.figure("readers that listen", round(900 * size))
    findings.figure("readers that are stopped", round(100 * size))
    findings.figure("delay without stopped readers, p99", p99[False], " ms")
    findings.figure("delay with stopped readers, p99", p99[True], " ms")
    findings.figure("ratio", p99[True] / (p99[False] or 1), goal=1.2)
    findings.figure("memory of the server before", before, " MB")
    findings.figure("memory that it grew by", peak - before, " MB", goal=20)
    return findings


async def _listen(
    here: Stage,
    findings: Findings,
    delays: dict[bool, list[float]],
    size: float,
    seconds: float,
    *,
    stopped: bool,
    warm: bool = False,
) -> float:
    """Returns the most memory that the server held meanwhile, in megabytes."""
    room = await here.make_room()
    good, still = Audience(here, room, round(900 * size)), Audience(here, room, round(100 * size))
    writer = Writer(here, room, 50 * max(size, 0.4))
    peak = 0.0
    try:
        await good.come()
        await still.come()
        writer.start()
        if stopped:
            still.stop()
        for _ in range(max(1, round(seconds))):
            await asyncio.sleep(1)
            peak = max(peak, held(here.chats[0]).megabytes)
        last = await writer.finish()
        if stopped:
            still.go_on()
        for audience in (good, still):
            if not await audience.reach(last, CATCH_UP_SECONDS):
                findings.wrong.append(f"an audience did not get to {last}")
        await asyncio.sleep(6)  # who was cut off is told to come back within four seconds
        for audience, name in ((good, "readers"), (still, "stopped readers")):
            seen = await audience.go()
            findings.wrong += judge(seen["events"], writer.acknowledged) + seen["mismatches"] + audience.oddities
            if seen["behind"]:
                findings.wrong.append(f"{seen['behind']} {name} miss something at the end")
            if audience is good and not warm:
                delays[stopped] += seen["delays"]
    finally:
        good.kill()
        still.kill()
    findings.wrong += writer.oddities
    print(f"  {'with' if stopped else 'without'} stopped readers: {len(writer.acknowledged)} messages", flush=True)
    return peak
