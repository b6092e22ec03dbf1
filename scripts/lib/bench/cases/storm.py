"""Everybody comes back at the same instant: the time until the last reader has what it missed, the memory of all, and
what they ask of the stores."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import Any

import pymongo
import redis

from bench.bench import Bench
from bench.candidates import Candidate
from bench.candidates.nchan import Nchan
from bench.cases.base import CHAT, NCHAN, Step
from bench.measuring import Meter
from bench.statistics import Goal, Results, Sample
from bench.tools import ALL_AT_ONCE
from common import usage
from common.http_client import EventStream

READERS = 10_000
BEHIND = 50
RATE = 500
"""Messages a second while they are away."""

LATER_SECONDS = 10.0
"""When the memory that is left is looked at, with all readers still there."""

READS = 0.02
"""Reads of the stores for each reader: none, but for what a chat asks for itself meanwhile."""

_REDIS_READS = ("xread", "xrange", "xrevrange", "xinfo", "get", "hget", "hmget", "hgetall", "zrange", "evalsha")


class Storm:
    name = "storm"
    title = f"{READERS:,} readers come back at the same instant, each {BEHIND} events behind: all connect, then all ask"
    columns = ("seconds", "connected", "CPU each", "KB at the peak", "KB later", "Redis reads", "MongoDB reads", "busy")
    work = f"{READERS:,} readers"

    def steps(self, bench: Bench) -> list[Step]:
        return [
            Step(self.work, CHAT, partial(return_to_chat, READERS, BEHIND)),
            Step(self.work, NCHAN, _return_to_nchan),
        ]

    def goals(self, results: Results) -> list[Goal]:
        time_taken = results.ratio("seconds", (self.work, CHAT), (self.work, NCHAN))
        at_the_peak, later = (results.figure(self.work, CHAT, name) for name in ("KB at the peak", "KB later"))
        reads = results.figure(self.work, CHAT, "reads each")
        return [
            Goal("5", "10,000 readers at once, time until all are caught up : nchan", time_taken, 0.6),
            Goal("5", "10,000 readers at once, memory of each at the peak", at_the_peak, 6, unit="KB"),
            Goal("5", f"10,000 readers at once, memory of each {LATER_SECONDS:.0f} s later", later, 4, unit="KB"),
            Goal("–", "10,000 readers at once, reads of Redis and MongoDB", reads, READS, unit="a reader"),
        ]


def return_to_chat(readers: int, behind: int, bench: Bench, later: float = LATER_SECONDS) -> Sample:
    """They come to a process that was just started."""
    chat = bench.chat
    with chat.running():
        bench.tools.posts(chat.port, [chat.post(0)], rate=20, seconds=1).finish()
        cursor = chat.ask("GET", f"/rooms/{chat.room_id(0)}/messages?limit=1")["cursor"]
        bench.tools.posts(chat.port, [chat.post(0)], rate=min(behind, RATE), seconds=max(1, behind / RATE)).finish()
    with chat.running():
        before = _reads(bench)
        sample = _storm(bench, chat, readers, behind, chat.stream(0, after=cursor), later)
        reads = {name: count - before[name] for name, count in _reads(bench).items()}
    return sample | reads | {"reads each": sum(reads.values()) / readers}


def _return_to_nchan(bench: Bench) -> Sample:
    nchan = bench.candidate(NCHAN)
    assert isinstance(nchan, Nchan)
    with nchan.running():
        bench.tools.posts(nchan.port, [nchan.post(0)], rate=20, seconds=1, connections=1).finish()
        cursor = asyncio.run(_last_id(nchan, 20))
        bench.tools.posts(nchan.port, [nchan.post(0)], rate=BEHIND, seconds=1, connections=1).finish()
        return _storm(bench, nchan, READERS, BEHIND, nchan.stream(0, after=cursor), LATER_SECONDS)


def _storm(bench: Bench, candidate: Candidate, count: int, behind: int, request: bytes, later: float) -> Sample:
    """`seconds` from the first connection until the last reader has all; KB of each reader above what the process held
    before."""
    pids = candidate.pids()
    meter, before = Meter(candidate), usage.memory_kilobytes(pids)
    usage.forget_peaks(pids)
    started = time.monotonic()
    readers = bench.tools.readers(candidate.port, count, [request], at_once=ALL_AT_ONCE, owed=behind)
    try:
        connected = readers.connected()
        seconds = readers.caught_up()
        busy = usage.cpu_seconds([readers.pid]) / max(time.monotonic() - started, seconds)
        spent = meter.microseconds()["served"]
        time.sleep(later)
        peak, left = usage.peak_kilobytes(pids), usage.memory_kilobytes(pids)
    finally:
        readers.close()
    return {
        "seconds": seconds,
        "connected": connected,
        "CPU each": spent / count,
        "KB at the peak": (peak - before) / count,
        "KB later": (left - before) / count,
        "busy": busy,
    }


async def _last_id(nchan: Nchan, messages: int) -> str:
    """The id of the newest message, which only a stream tells."""
    stream = await EventStream.open(nchan.port, nchan.path_from_the_start(0), {})
    ids: list[str] = []
    while len(ids) < messages:
        if id := (await stream.block()).id:
            ids.append(id)
    stream.close()
    return ids[-1]


def _reads(bench: Bench) -> dict[str, float]:
    """Commands that read, so far."""
    with redis.Redis(port=bench.stores.redis.port, protocol=2) as client:
        calls: dict[str, Any] = client.info("commandstats")
        from_redis = sum(calls.get(f"cmdstat_{name}", {}).get("calls", 0) for name in _REDIS_READS)
    with pymongo.MongoClient[dict[str, Any]](bench.stores.mongod.uri) as mongo:
        done = mongo.admin.command("serverStatus")["opcounters"]
    return {"Redis reads": from_redis, "MongoDB reads": done["query"] + done["getmore"]}
