"""What an acknowledgement costs."""

from __future__ import annotations

from bench.bench import Bench
from bench.candidates import Candidate
from bench.cases.base import CHAT, SERVERS, Step
from bench.measuring import Meter
from bench.statistics import Goal, Results, Sample

ECHO = "Tornado, echo"
IN_FLIGHT = 100


class Posting:
    name = "posting"
    title = (
        f"posts with {IN_FLIGHT} in flight; the chat's acknowledged by majority and journal, nobody else's kept on disk"
    )
    columns = ("posts/s", "post", "Redis", "mongod", "p50", "p99")
    work = f"{IN_FLIGHT} in flight"

    def steps(self, bench: Bench) -> list[Step]:
        return [self._step(candidate) for candidate in (CHAT, ECHO, *SERVERS)]

    def goals(self, results: Results) -> list[Goal]:
        ours, theirs = (self.work, CHAT), (self.work, ECHO)
        return [
            Goal("7", "posts a second : a bare echo", results.ratio("posts/s", ours, theirs), 0.65, at_least=True),
            Goal("7", "p99 of a post : a bare echo", results.ratio("p99", ours, theirs), 2.5),
        ]

    def _step(self, name: str) -> Step:
        return Step(self.work, name, lambda bench: _measure(bench, bench.candidate(name)))


def _measure(bench: Bench, candidate: Candidate) -> Sample:
    with candidate.running():
        posts = [candidate.post(0)]
        bench.tools.posts(candidate.port, posts, rate=0, seconds=1, connections=IN_FLIGHT).finish()
        meter = Meter(candidate)
        report = bench.tools.posts(
            candidate.port, posts, rate=0, seconds=bench.seconds(5), connections=IN_FLIGHT
        ).finish()
        used = {name: spent / report["posts"] for name, spent in meter.microseconds().items()}
    sample = {"posts/s": report["posts"] / report["seconds"], "post": used.pop("served")} | used
    return sample | {"p50": report["p50"], "p99": report["p99"]}
