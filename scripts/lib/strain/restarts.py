"""Rolling restarts under load: one process after the other drains, ends and comes back, and nobody notices."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

from strain.audience import Audience, note_what_is_wrong
from strain.findings import Findings, percentile
from strain.stage import stage, start, stop
from strain.writer import Writer

DRAIN_SECONDS = 8.0
CATCH_UP_SECONDS = 60.0
SETTLE_SECONDS = 4.0
"""Between two restarts: who was told to come back within four seconds is back."""


async def rolling_restarts(size: float) -> Findings:
    """`size` 1: 20 restarts under 1,000 readers and 100 posts a second."""
    findings = Findings("rolling restarts of two processes")
    readers, rate, restarts = round(1000 * size), 100 * size, max(2, round(20 * size))
    async with stage(2, drain=DRAIN_SECONDS) as here:
        room = await here.make_room()
        audience, writer = Audience(here, room, readers), Writer(here, room, rate)
        try:
            await audience.come()
            writer.start()
            drains = []
            for number in range(restarts):
                chat = here.chats[number % 2]
                drains.append(time.monotonic())
                await stop(chat)
                await start(chat)
                print(f"  restart {number + 1} of {restarts}: {audience.open} streams open", flush=True)
                await asyncio.sleep(SETTLE_SECONDS)
            last = await writer.finish()
            if not await audience.reach(last, CATCH_UP_SECONDS):
                findings.wrong.append(f"nobody received {last}")
            await asyncio.sleep(SETTLE_SECONDS + 1)
            seen = await audience.go()
        finally:
            audience.kill()
    note_what_is_wrong(findings, seen, audience, writer)
    comebacks = [at for at in seen["openings"] if at > drains[0]]
    a_second = Counter(int(at) for at in comebacks)
    findings.figure("readers", readers)
    findings.figure("messages, all acknowledged", len(writer.acknowledged))
    findings.figure("restarts", restarts)
    findings.figure("readers that miss something at the end", seen["behind"], goal=0, promise=True)
    findings.figure("torn frames", seen["torn"], goal=0, promise=True)
    findings.figure("posts repeated, all healed by that", writer.repeats)
    findings.figure("reconnects", len(comebacks))
    even = readers / DRAIN_SECONDS
    findings.figure("most reconnects in a second", max(a_second.values(), default=0), goal=2 * even)
    findings.figure("delay of a message, p50", percentile(seen["delays"], 0.5) * 1000, " ms")
    findings.figure("delay of a message, p99", percentile(seen["delays"], 0.99) * 1000, " ms")
    findings.figure("post to acknowledgement, p99", percentile(writer.delays, 0.99) * 1000, " ms")
    return findings
