"""A quiet room: how long a message is on its way, beside what its steps cost when nothing lies between them."""

from __future__ import annotations

import statistics
import time
from typing import Any

import pymongo
import redis
from pymongo.write_concern import WriteConcern

from bench import cores, words
from bench.bench import Bench
from bench.cases.base import CHAT, SERVERS, Step, delivering
from bench.measuring import Work
from bench.statistics import Goal, Results, Sample

SEQUENCE = "XADD, XREAD, insert"
RATE = 20
"""Posts a second: one is long done when the next one comes."""


class Quiet:
    name = "quiet"
    title = "one reader, one poster"
    columns = ("p50", "p99", "acknowledged p50")
    work = "1 reader"

    def steps(self, bench: Bench) -> list[Step]:
        load = Work(1, RATE, bench.seconds(8), alone=False)
        return [
            *(delivering(self.work, candidate, load) for candidate in (CHAT, *SERVERS)),
            Step(self.work, SEQUENCE, lambda bench: _sequence(bench, round(load.seconds * RATE))),
        ]

    def goals(self, results: Results) -> list[Goal]:
        delay = results.ratio("p50", (self.work, CHAT), (self.work, SEQUENCE))
        return [Goal("8", "one reader, post sent to event received, p50 : XADD + XREAD + insert", delay, 1.2)]


def _sequence(bench: Bench, times: int) -> Sample:
    """One append, one read and one insert by majority and journal, one after the other, by the drivers that block."""
    body = words.payload(words.FRAME_BYTES)
    taken = []
    with (
        cores.on(bench.machine.served),
        redis.Redis(port=bench.stores.redis.port, protocol=2) as log,
        pymongo.MongoClient[dict[str, Any]](bench.stores.mongod.uri) as client,
    ):
        archive = client["bench"].get_collection("sequence", write_concern=WriteConcern("majority", j=True))
        archive.insert_one({"body": body})
        for _ in range(times):
            time.sleep(1 / RATE)
            started = time.perf_counter()
            id = log.xadd("bench", {"body": body})
            log.xread({"bench": _before(id)}, count=1)
            archive.insert_one({"body": body})
            taken.append(1e3 * (time.perf_counter() - started))
        log.delete("bench")
    taken.sort()
    return {"p50": statistics.median(taken), "p99": taken[int(len(taken) * 0.99)]}


def _before(id: bytes) -> str:
    milliseconds, _, sequence = id.decode().partition("-")
    return f"{milliseconds}-{int(sequence) - 1}" if int(sequence) else f"{int(milliseconds) - 1}"
