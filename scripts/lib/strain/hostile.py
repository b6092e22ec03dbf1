"""Clients that mean harm, or are broken: the chat stays usable for everybody else, and gets rid of them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from common.files_limit import allow_many_files
from common.http_client import EventStream
from common.server_process import ServerProcess
from common.waiting import until
from strain.audience import Audience, note_what_is_wrong
from strain.findings import Findings, percentile
from strain.stage import Stage, held, stage
from strain.writer import Writer

READERS = 50
RATE = 20.0
SECONDS = 30.0
UPLOAD = 50 * 1024 * 1024
VANISHED = "127.0.0.77"
"""The address from which those come who vanish: what is sent there gets lost from then on."""

GONE_SECONDS = 90.0
"""Within this the chat must have noticed that somebody vanished."""

MORE_FILES = 10
"""What may come and go by itself: connections to the databases."""

Harm = Callable[[Stage, int, float], AbstractAsyncContextManager[bool]]
"""What is done while the context lasts. It says whether the chat must get rid of it meanwhile, or may do so after."""


async def hostile_clients(size: float) -> Findings:
    """`size` 1: 50 MB up one stream; 1,000 readers that vanish; 2,000 connections that send a byte a second."""
    findings = Findings("hostile clients beside 50 readers and 20 posts a second")
    allow_many_files()
    harms: dict[str, Harm | None] = {"nobody": None, "50 MB upstream": upload, "slow headers": slow_headers}
    if os.geteuid() == 0 and shutil.which("ip"):
        harms["vanished readers"] = vanish
    else:
        print("  to let readers vanish takes root and iproute2: left out", flush=True)
    async with stage() as here:
        before = held(here.chats[0])
        for name, harm in harms.items():
            print(f"  {name}", flush=True)
            await _live_beside(here, findings, name, harm, size)
        findings.figure("memory at the beginning", before.megabytes, " MB")
    return findings


async def _live_beside(here: Stage, findings: Findings, name: str, harm: Harm | None, size: float) -> None:
    room = await here.make_room()
    audience, writer = Audience(here, room, READERS), Writer(here, room, RATE)
    chat, peak = here.chats[0], 0.0
    first_bytes: list[float] = []
    try:
        await audience.come()
        files = held(chat).files
        writer.start()
        async with harm(here, room, size) if harm else contextlib.nullcontext(False) as must_go:
            going = asyncio.create_task(_time_to_get_rid(chat, files)) if must_go else None
            for _ in range(round(SECONDS * max(size, 0.2))):
                await asyncio.sleep(1)
                peak = max(peak, held(chat).megabytes)
                first_bytes.append(await _time_to_open(here, room))
            gone = await going if going else 0.0
        last = await writer.finish()
        if not await audience.reach(last, 30):
            findings.wrong.append(f"{name}: the readers did not get to {last}")
        gone = gone or await _time_to_get_rid(chat, files)
        seen = await audience.go()
    finally:
        audience.kill()
    note_what_is_wrong(findings, seen, audience, writer)
    findings.figure(f"{name}: delay of a message, p50", percentile(seen["delays"], 0.5) * 1000, " ms")
    findings.figure(f"{name}: delay of a message, p99", percentile(seen["delays"], 0.99) * 1000, " ms")
    findings.figure(f"{name}: post to acknowledgement, slowest", max(writer.delays) * 1000, " ms")
    findings.figure(f"{name}: opening a stream, slowest", max(first_bytes) * 1000, " ms")
    findings.figure(f"{name}: readers that miss something", seen["behind"], goal=0, promise=True)
    findings.figure(f"{name}: streams that were cut", seen["streams"] - READERS, goal=0, promise=True)
    findings.figure(f"{name}: most memory", peak, " MB")
    findings.figure(f"{name}: rid of them after", gone, " s", goal=GONE_SECONDS, promise=True)


async def _time_to_get_rid(chat: ServerProcess, files: int) -> float:
    """Seconds until it has no more files open than it had."""
    began = time.monotonic()
    await until(lambda: held(chat).files <= files + MORE_FILES, GONE_SECONDS)
    return time.monotonic() - began


async def _time_to_open(here: Stage, room: int) -> float:
    began = time.monotonic()
    stream = await EventStream.open(here.ports[0], f"/chat/stream?room={room}", here.writer.headers)
    await stream.block()
    stream.close()
    return time.monotonic() - began


@asynccontextmanager
async def upload(here: Stage, room: int, size: float) -> AsyncIterator[bool]:
    crowd = Audience(here, room, 1, upstream=UPLOAD)
    await crowd.come()
    try:
        yield False
    finally:
        crowd.kill()


@asynccontextmanager
async def vanish(here: Stage, room: int, size: float) -> AsyncIterator[bool]:
    """No end, no reset, no acknowledgement any more: the way to them is a hole."""
    crowd = Audience(here, room, round(1000 * size), source=VANISHED)
    await crowd.come()
    route = ["blackhole", f"{VANISHED}/32", "table", "local"]
    subprocess.run(["ip", "route", "add", *route], check=True)  # noqa: ASYNC221 — a moment
    try:
        crowd.stop()
        yield True
    finally:
        crowd.kill()
        await asyncio.sleep(0.5)  # until nothing of theirs is on its way
        subprocess.run(["ip", "route", "del", *route], check=True)  # noqa: ASYNC221


@asynccontextmanager
async def slow_headers(here: Stage, room: int, size: float) -> AsyncIterator[bool]:
    """Whoever is cut off comes again."""
    slow = [asyncio.create_task(_dribble(here.ports[0])) for _ in range(round(2000 * size))]
    try:
        yield False
    finally:
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)


async def _dribble(port: int) -> None:
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(b"GET / HTTP/1.1\r\nX-Slow: ")
                while not writer.transport.is_closing():
                    writer.write(b"a")
                    await asyncio.sleep(1)
            finally:
                writer.transport.abort()
        await asyncio.sleep(1)
