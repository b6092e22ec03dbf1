"""What holding people to their quotas adds to a post: the same posts, with RATE_LIMITS on and off."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from bench.bench import Bench
from bench.cases.base import CHAT, Step
from bench.measuring import Meter
from bench.statistics import Figure, Goal, Results, Sample


class Crowd(NamedTuple):
    """`rate`: posts a second of all people together."""

    name: str
    people: int
    rate: int


BUSY = Crowd("100 people, 4/s each", 100, 400)
CALM = Crowd("400 people, one in 4 s each", 400, 100)
"""Nobody posts twice before what was taken for them is over: each post asks."""


class Quotas:
    name = "quotas"
    title = "posts of many people, who are held to their quotas or not"
    columns = ("post", "Redis", "p50", "p99")
    crowds: ClassVar = (BUSY, CALM)

    def steps(self, bench: Bench) -> list[Step]:
        return [_step(crowd, limits=limits) for crowd in self.crowds for limits in (True, False)]

    def goals(self, results: Results) -> list[Goal]:
        return [
            Goal("–", f"{crowd.name}, CPU of a post : not held", self._ratio(results, crowd), 1.03)
            for crowd in self.crowds
        ]

    def _ratio(self, results: Results, crowd: Crowd) -> Figure | None:
        return results.ratio("post", (_work(crowd, limits=True), CHAT), (_work(crowd, limits=False), CHAT))


def _work(crowd: Crowd, *, limits: bool) -> str:
    return f"{crowd.name}, {'held' if limits else 'not held'}"


def _step(crowd: Crowd, *, limits: bool) -> Step:
    return Step(_work(crowd, limits=limits), CHAT, lambda bench: _measure(bench, crowd, limits=limits))


def _measure(bench: Bench, crowd: Crowd, *, limits: bool) -> Sample:
    chat = bench.chat
    with chat.running():
        posts = chat.posts_of(crowd.people)
    with chat.running(rate_limits=limits):
        bench.tools.posts(chat.port, posts, rate=crowd.rate, seconds=4).finish()
        meter = Meter(chat)
        report = bench.tools.posts(chat.port, posts, rate=crowd.rate, seconds=bench.seconds(10)).finish()
        used = {name: spent / report["posts"] for name, spent in meter.microseconds().items()}
    return {"post": used.pop("served"), "p50": report["p50"], "p99": report["p99"]} | used
