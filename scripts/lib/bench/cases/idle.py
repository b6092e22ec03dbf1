"""Memory of readers to whom nothing is said."""

from __future__ import annotations

import time

from bench.bench import Bench
from bench.candidates import Candidate
from bench.cases.base import CHAT, NCHAN, STARLETTE, TORNADO, Step
from bench.statistics import Goal, Results, Sample
from common import usage

READERS = 10_000
SETTLE_SECONDS = 2.0


class Idle:
    name = "idle"
    title = "10,000 idle readers: resident memory"
    columns = ("KB each", "MB before", "seconds to open")

    def steps(self, bench: Bench) -> list[Step]:
        return [_step(candidate) for candidate in (CHAT, NCHAN, TORNADO, STARLETTE)]

    def goals(self, results: Results) -> list[Goal]:
        work = f"{READERS:,} readers"
        beside = results.ratio("KB each", (work, CHAT), (work, NCHAN))
        return [
            Goal("5", "memory of an idle reader", results.figure(work, CHAT, "KB each"), 5, unit="KB"),
            Goal("5", "memory of an idle reader : nchan", beside, 1.0),
        ]


def _step(name: str) -> Step:
    return Step(f"{READERS:,} readers", name, lambda bench: _measure(bench, bench.candidate(name)))


def _measure(bench: Bench, candidate: Candidate) -> Sample:
    with candidate.running():
        # What the first reader and the first message bring with them is not the second one's.
        first = bench.tools.readers(candidate.port, 1, [candidate.stream(0)])
        first.ready()
        bench.tools.posts(candidate.port, [candidate.post(0)], rate=20, seconds=1).finish()
        time.sleep(SETTLE_SECONDS)
        before = usage.memory_kilobytes(candidate.pids())
        readers = bench.tools.readers(candidate.port, READERS, [candidate.stream(0)])
        try:
            opened = readers.ready()
            time.sleep(SETTLE_SECONDS)
            after = usage.memory_kilobytes(candidate.pids())
        finally:
            readers.close()
            first.close()
    return {"KB each": (after - before) / READERS, "MB before": before / 1024, "seconds to open": opened}
