"""One user who does the worst that the quotas leave: the others hardly notice."""

from __future__ import annotations

import asyncio
import json

from common.http_client import Person, request, sign_up
from strain.audience import Audience, note_what_is_wrong
from strain.crews import run_module
from strain.findings import Findings, percentile
from strain.stage import Stage, held, stage
from strain.worst import Orders
from strain.writer import Writer

READERS = 50
RATE = 5.0
SECONDS = 20.0

MEMORY = 100.0
"""Megabytes that the chat may take on meanwhile."""


async def one_worst_user(size: float) -> Findings:
    """`size` 1: 20 seconds of each verb at its dearest, over 50 connections, without regard for any refusal."""
    findings = Findings(f"one user at their worst, beside {READERS} readers and {RATE:.0f} posts a second of others")
    delays: dict[str, float] = {}
    async with stage(limits=True) as here:
        mallory = await sign_up(here.ports[0], "mallory")
        await _measure(here, findings, None, SECONDS * max(size, 0.25), "warm-up")
        memory = held(here.chats[0]).megabytes
        for name, person in (("without", None), ("with", mallory), ("after", None)):
            delays[name] = await _measure(here, findings, person, SECONDS * max(size, 0.25), name)
        findings.figure(
            "a message's delay with them : without, p99", delays["with"] / delays["without"], "×", goal=2, promise=True
        )
        grown = held(here.chats[0]).megabytes - memory
        findings.figure("memory that the chat took on", grown, " MB", goal=MEMORY, promise=True)
    return findings


async def _measure(here: Stage, findings: Findings, mallory: Person | None, seconds: float, name: str) -> float:
    """Returns the delay of a message, p99, in seconds."""
    room = await here.make_room()
    audience, writer = Audience(here, room, READERS), Writer(here, room, RATE)
    peak = 0.0
    try:
        await audience.come()
        writer.start()
        harassing = None if mallory is None else asyncio.create_task(_harass(here, mallory, seconds))
        for _ in range(round(seconds)):
            await asyncio.sleep(1)
            peak = max(peak, held(here.chats[0]).megabytes)
        seen_statuses = await harassing if harassing is not None else {}
        last = await writer.finish()
        if not await audience.reach(last, 30):
            findings.wrong.append(f"{name}: the readers did not get to {last}")
        seen = await audience.go()
    finally:
        audience.kill()
    note_what_is_wrong(findings, seen, audience, writer)
    findings.wrong += [f"{status} × {count}" for status, count in seen_statuses.items() if ": 500" in status]
    p99 = percentile(seen["delays"], 0.99)
    if name != "warm-up":
        findings.figure(f"{name}: delay of a message, p50", percentile(seen["delays"], 0.5) * 1000, " ms")
        findings.figure(f"{name}: delay of a message, p99", p99 * 1000, " ms")
        findings.figure(f"{name}: post to acknowledgement, p99", percentile(writer.delays, 0.99) * 1000, " ms")
        findings.figure(f"{name}: readers that miss something", seen["behind"], goal=0, promise=True)
        findings.figure(f"{name}: most memory", peak, " MB")
    for status, count in sorted(seen_statuses.items()):
        print(f"    {status}: {count}", flush=True)
    return p99


async def _harass(here: Stage, mallory: Person, seconds: float) -> dict[str, int]:
    """In a process of its own. Returns how often each verb got which status."""
    port = here.ports[0]
    made = await request(port, "POST", "/rooms", headers=mallory.headers, body={"name": "mallory's"})
    room = int(made.json()["id"])
    body = {"room_id": room, "content": "to be changed"}
    posted = await request(port, "POST", "/messages", headers=mallory.headers, body=body)
    orders = Orders(port, room, posted.json()["id"], mallory.headers, seconds)
    said, _ = await (await run_module("strain.worst", orders)).communicate()
    seen: dict[str, int] = json.loads(said)
    return seen
