"""One room with many readers."""

from __future__ import annotations

from typing import ClassVar

from bench.bench import Bench
from bench.cases.base import (
    CHAT,
    DELIVERIES,
    FLOOR,
    NCHAN,
    OTHERS,
    STARLETTE,
    TORNADO,
    Step,
    delivering,
)
from bench.measuring import Work
from bench.statistics import Figure, Goal, Results


class FanOut:
    name = "fan-out"
    title = "1,000 readers of one room, up to 100 messages a second"
    columns = DELIVERIES
    rates: tuple[int, ...] = (2, 20, 100)
    share: ClassVar = {2: 0.85, 20: 0.70, 100: 0.50}
    whole: ClassVar = {20: 1.0, 100: 0.75}

    def steps(self, bench: Bench) -> list[Step]:
        return [
            delivering(f"{rate}/s", candidate, Work(1_000, rate, bench.seconds(10 if rate < 10 else 5)))
            for rate in self.rates
            for candidate in (CHAT, NCHAN)
        ]

    def goals(self, results: Results) -> list[Goal]:
        goals = []
        for rate in self.rates:
            ours, theirs = (f"{rate}/s", CHAT), (f"{rate}/s", NCHAN)
            text = f"{rate} messages/s, fan-out share : nchan"
            goals.append(Goal("1", text, results.ratio("fan-out", ours, theirs), self.share[rate]))
            if rate in self.whole:
                text = f"{rate} messages/s, with durable posting : nchan"
                goals.append(Goal("1b", text, results.ratio("cpu", ours, theirs), self.whole[rate]))
        return goals


class Brief(FanOut):
    """What --quick takes of it."""

    name = "fan-out-20"
    title = "1,000 readers of one room, 20 messages a second"
    rates = (20,)


class Hot:
    name = "hot"
    title = "1,000 readers of one room, 400 messages a second"
    columns = DELIVERIES

    def steps(self, bench: Bench) -> list[Step]:
        return [delivering("400/s", candidate, Work(1_000, 400, bench.seconds(5))) for candidate in (CHAT, NCHAN)]

    def goals(self, results: Results) -> list[Goal]:
        ours, theirs = ("400/s", CHAT), ("400/s", NCHAN)
        return [
            Goal("2", "400 messages/s, fan-out share : nchan", results.ratio("fan-out", ours, theirs), 0.20),
            Goal("2", "400 messages/s, with durable posting : nchan", results.ratio("cpu", ours, theirs), 0.50),
            Goal("2", "400 messages/s, latency p99", results.figure(*ours, "p99"), 60, unit="ms"),
        ]


class Peers:
    name = "peers"
    title = "1,000 readers of one room, 20 messages a second: everyone"
    columns = DELIVERIES
    limits: ClassVar = {FLOOR: 1.9, TORNADO: 0.25, STARLETTE: 0.20}

    def steps(self, bench: Bench) -> list[Step]:
        candidates = (CHAT, FLOOR, NCHAN, TORNADO, STARLETTE, *OTHERS)
        return [delivering("20/s", candidate, Work(1_000, 20, bench.seconds(5))) for candidate in candidates]

    def goals(self, results: Results) -> list[Goal]:
        return [
            Goal("3", f"20 messages/s, fan-out share : {name}", self._ratio(results, name), limit)
            for name, limit in self.limits.items()
        ]

    def _ratio(self, results: Results, name: str) -> Figure | None:
        return results.ratio("fan-out", ("20/s", CHAT), ("20/s", name))


class Many:
    name = "many"
    title = "10,000 readers of one room, 5 messages a second"
    columns = ("cpu", "fan-out", "p50", "p99", "last p50", "last p99", "busy")

    def steps(self, bench: Bench) -> list[Step]:
        seconds = bench.seconds(6)
        works = [("1,000 readers", CHAT, 1_000), ("10,000 readers", CHAT, 10_000), ("10,000 readers", NCHAN, 10_000)]
        return [delivering(work, candidate, Work(readers, 5, seconds)) for work, candidate, readers in works]

    def goals(self, results: Results) -> list[Goal]:
        ours = ("10,000 readers", CHAT)
        cost = results.ratio("cpu", ours, ("1,000 readers", CHAT))
        delay = results.ratio("last p50", ours, ("10,000 readers", NCHAN))
        return [
            Goal("4", "10,000 readers, CPU per delivery : with 1,000", cost, 1.25),
            Goal("4", "10,000 readers, last reader's delay (median) : nchan", delay, 1.1),
        ]
