"""Everybody comes back at once: the time until the last reader has what it missed, and what that asks of the stores."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import Any

import pymongo
import redis

from bench.bench import Bench
from bench.candidates.nchan import Nchan
from bench.cases.base import CHAT, NCHAN, Step
from bench.measuring import Meter
from bench.statistics import Goal, Results, Sample
from bench.tools import Readers
from common import usage
from common.http_client import EventStream

READERS = 10_000
BEHIND = 50
RATE = 500
"""Messages a second while they are away."""

AT_ONCE = 3_000
"""Streams that wait for their answer at a time: fewer than a listening socket holds, or the kernel's own repeats of
refused connections, a second later, would be all that is measured."""

READS = 0.02
"""Reads of the stores for each reader: none, but for what a chat asks for itself meanwhile."""

_REDIS_READS = ("xread", "xrange", "xrevrange", "xinfo", "get", "hget", "hmget", "hgetall", "zrange", "evalsha")


class Storm:
    name = "storm"
    title = f"{READERS:,} readers come back at once, each {BEHIND} events behind"
    columns = ("seconds", "CPU each", "Redis reads", "MongoDB reads", "busy")
    work = f"{READERS:,} readers"

    def steps(self, bench: Bench) -> list[Step]:
        return [
            Step(self.work, CHAT, partial(return_to_chat, READERS, BEHIND)),
            Step(self.work, NCHAN, _return_to_nchan),
        ]

    def goals(self, results: Results) -> list[Goal]:
        time_taken = results.ratio("seconds", (self.work, CHAT), (self.work, NCHAN))
        reads = results.figure(self.work, CHAT, "reads each")
        return [
            Goal("6", "10,000 readers back, time until all are caught up : nchan", time_taken, 1.0),
            Goal("6", "10,000 readers back, reads of Redis and MongoDB", reads, READS, unit="a reader"),
        ]


def return_to_chat(readers: int, behind: int, bench: Bench) -> Sample:
    """They come to a process that was just started."""
    chat = bench.chat
    with chat.running():
        bench.tools.posts(chat.port, [chat.post(0)], rate=20, seconds=1).finish()
        cursor = chat.ask("GET", f"/rooms/{chat.room_id(0)}/messages?limit=1")["cursor"]
        bench.tools.posts(chat.port, [chat.post(0)], rate=min(behind, RATE), seconds=max(1, behind / RATE)).finish()
    with chat.running():
        meter, before = Meter(chat), _reads(bench)
        returning = bench.tools.readers(
            chat.port, readers, [chat.stream(0, after=cursor)], at_once=AT_ONCE, owed=behind
        )
        sample = _finish(returning) | {"CPU each": meter.microseconds()["served"] / readers}
        reads = {name: count - before[name] for name, count in _reads(bench).items()}
    return sample | reads | {"reads each": sum(reads.values()) / readers}


def _return_to_nchan(bench: Bench) -> Sample:
    nchan = bench.candidate(NCHAN)
    assert isinstance(nchan, Nchan)
    with nchan.running():
        bench.tools.posts(nchan.port, [nchan.post(0)], rate=20, seconds=1, connections=1).finish()
        cursor = asyncio.run(_last_id(nchan, 20))
        bench.tools.posts(nchan.port, [nchan.post(0)], rate=BEHIND, seconds=1, connections=1).finish()
        meter = Meter(nchan)
        readers = bench.tools.readers(
            nchan.port, READERS, [nchan.stream(0, after=cursor)], at_once=AT_ONCE, owed=BEHIND
        )
        return _finish(readers) | {"CPU each": meter.microseconds()["served"] / READERS}


def _finish(readers: Readers) -> Sample:
    started = time.monotonic()
    try:
        seconds = readers.caught_up()
        busy = usage.cpu_seconds([readers.pid]) / max(time.monotonic() - started, seconds)
    finally:
        readers.close()
    return {"seconds": seconds, "busy": busy}


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
