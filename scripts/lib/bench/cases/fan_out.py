"""One room with many readers."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from bench.bench import Bench
from bench.cases.base import (
    CHAT,
    DELIVERIES,
    FLOOR,
    NCHAN,
    OTHERS,
    SERVERS,
    STARLETTE,
    TORNADO,
    Step,
    delivering,
)
from bench.measuring import Work
from bench.statistics import Figure, Goal, Results, ratio

WORDS = {
    "fan-out": "fan-out share",
    "cpu": "with durable posting",
    "p50": "latency p50",
    "p99": "latency p99",
    "last p50": "last reader's delay (median)",
}


class Limit(NamedTuple):
    """`most`: the chat's figure, divided by the other's."""

    row: str
    name: str
    most: float


class FanOut:
    name = "fan-out"
    title = "1,000 readers of one room, up to 100 messages a second"
    columns = DELIVERIES
    limits: ClassVar = {
        2: (Limit("1", "fan-out", 0.75), Limit("1", "p50", 1.2), Limit("1", "p99", 1.2)),
        20: (Limit("1", "fan-out", 0.75), Limit("1", "p50", 1.2), Limit("1", "p99", 1.2), Limit("–", "cpu", 1.0)),
        100: (Limit("2", "fan-out", 0.40), Limit("2", "cpu", 0.75), Limit("2", "p50", 3.0), Limit("2", "p99", 2.0)),
    }

    @property
    def rates(self) -> tuple[int, ...]:
        return tuple(self.limits)

    def steps(self, bench: Bench) -> list[Step]:
        return [
            delivering(f"{rate}/s", candidate, Work(1_000, rate, bench.seconds(10 if rate < 10 else 5)))
            for rate in self.rates
            for candidate in (CHAT, *SERVERS)
        ]

    def goals(self, results: Results) -> list[Goal]:
        return [_beside(results, rate, limit) for rate, limits in self.limits.items() for limit in limits]


class Brief(FanOut):
    """What --quick takes of it."""

    name = "fan-out-20"
    title = "1,000 readers of one room, 20 messages a second"
    limits: ClassVar = {20: FanOut.limits[20]}


class Hot:
    name = "hot"
    title = "1,000 readers of one room, 400 messages a second"
    columns = DELIVERIES
    rate = 400
    limits = (Limit("3", "fan-out", 0.12), Limit("3", "cpu", 0.35))
    late_ms = 45.0

    def steps(self, bench: Bench) -> list[Step]:
        work = Work(1_000, self.rate, bench.seconds(5))
        return [delivering(f"{self.rate}/s", candidate, work) for candidate in (CHAT, *SERVERS)]

    def goals(self, results: Results) -> list[Goal]:
        text = f"{self.rate} messages/s, latency p99 : {self.late_ms:.0f} ms, or nchan's where that is later"
        return [_beside(results, self.rate, limit) for limit in self.limits] + [
            Goal("3", text, self._p99(results), 1.0)
        ]

    def _p99(self, results: Results) -> Figure | None:
        ours, theirs = (results.values(f"{self.rate}/s", candidate, "p99") for candidate in (CHAT, NCHAN))
        return ratio(ours, [max(self.late_ms, other or 0.0) for other in theirs or [None] * len(ours)])


class Peers:
    name = "peers"
    title = "1,000 readers of one room, 20 messages a second: everyone"
    columns = DELIVERIES
    limits: ClassVar = {
        **dict.fromkeys(OTHERS, (Limit("4", "fan-out", 0.45), Limit("4", "p50", 1.0))),
        FLOOR: (Limit("–", "fan-out", 1.9),),
        TORNADO: (Limit("–", "fan-out", 0.25),),
        STARLETTE: (Limit("–", "fan-out", 0.20),),
    }

    def steps(self, bench: Bench) -> list[Step]:
        candidates = (CHAT, FLOOR, *SERVERS, TORNADO, STARLETTE)
        return [delivering("20/s", candidate, Work(1_000, 20, bench.seconds(5))) for candidate in candidates]

    def goals(self, results: Results) -> list[Goal]:
        return [_beside(results, 20, limit, other) for other, limits in self.limits.items() for limit in limits]


class Many:
    name = "many"
    title = "10,000 readers of one room, 5 messages a second"
    columns = ("cpu", "fan-out", "p50", "p99", "last p50", "last p99", "busy")

    def steps(self, bench: Bench) -> list[Step]:
        seconds = bench.seconds(6)
        works = [("1,000 readers", CHAT, 1_000)]
        works += [("10,000 readers", candidate, 10_000) for candidate in (CHAT, *SERVERS)]
        return [delivering(work, candidate, Work(readers, 5, seconds)) for work, candidate, readers in works]

    def goals(self, results: Results) -> list[Goal]:
        ours = ("10,000 readers", CHAT)
        cost = results.ratio("cpu", ours, ("1,000 readers", CHAT))
        delay = results.ratio("last p50", ours, ("10,000 readers", NCHAN))
        return [
            Goal("6", f"10,000 readers, {WORDS['last p50']} : nchan", delay, 1.0),
            Goal("–", "10,000 readers, CPU per delivery : with 1,000", cost, 1.25),
        ]


def _beside(results: Results, rate: int, limit: Limit, other: str = NCHAN) -> Goal:
    found = results.ratio(limit.name, (f"{rate}/s", CHAT), (f"{rate}/s", other))
    return Goal(limit.row, f"{rate} messages/s, {WORDS[limit.name]} : {other}", found, limit.most)
