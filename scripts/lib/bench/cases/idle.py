"""Memory of readers to whom nothing is said, and how soon all of them have what is said then."""

from __future__ import annotations

import time

from bench.bench import Bench
from bench.candidates import Candidate
from bench.cases.base import CHAT, NCHAN, SERVERS, STARLETTE, TORNADO, Step
from bench.measuring import LATEST_SECONDS
from bench.statistics import Goal, Results, Sample
from common import usage

READERS = 10_000
SETTLE_SECONDS = 2.0
RATE = 2
"""Messages a second, once the memory is known."""


class Idle:
    name = "idle"
    title = "10,000 idle readers: resident memory, and the delay of the first messages after that"
    columns = ("KB each", "MB before", "seconds to open", "p50", "p99")

    def steps(self, bench: Bench) -> list[Step]:
        return [_step(candidate) for candidate in (CHAT, *SERVERS, TORNADO, STARLETTE)]

    def goals(self, results: Results) -> list[Goal]:
        work = f"{READERS:,} readers"
        beside = results.ratio("KB each", (work, CHAT), (work, NCHAN))
        return [
            Goal("–", "memory of an idle reader", results.figure(work, CHAT, "KB each"), 5, unit="KB"),
            Goal("–", "memory of an idle reader : nchan", beside, 1.0),
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
            readers.mark()
            posts = bench.tools.posts(candidate.port, [candidate.post(0)], rate=RATE, seconds=bench.seconds(3)).finish()
            seen = readers.wait_for(posts["posts"] * READERS, LATEST_SECONDS)
        finally:
            readers.close()
            first.close()
    sample = {"KB each": (after - before) / READERS, "MB before": before / 1024, "seconds to open": opened}
    return sample | {name: seen[name] for name in ("p50", "p99")}
