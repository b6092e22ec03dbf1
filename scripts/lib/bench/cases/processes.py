"""Two processes on one port, with twice the readers."""

from __future__ import annotations

from dataclasses import replace

from bench.bench import Bench
from bench.cases.base import CHAT, DELIVERIES, Step
from bench.measuring import Work, deliver
from bench.statistics import Goal, Results, Sample

RATE = 20
UNCHANGED = 1.1


class Processes:
    """With two cores the load generator needs the second one, so deliveries per second can't double: what is compared
    is what a delivery costs."""

    name = "processes"
    title = f"one process with 1,000 readers, two with 2,000; {RATE} messages a second"
    columns = DELIVERIES

    def steps(self, bench: Bench) -> list[Step]:
        load = Work(1_000, RATE, bench.seconds(5))
        return [
            Step("1 process", CHAT, lambda bench: _measure(bench, 1, load)),
            Step("2 processes", CHAT, lambda bench: _measure(bench, 2, replace(load, readers=2_000))),
        ]

    def goals(self, results: Results) -> list[Goal]:
        cost = results.ratio("fan-out", ("2 processes", CHAT), ("1 process", CHAT))
        return [Goal("–", "two processes, fan-out share : one process", cost, UNCHANGED)]


def _measure(bench: Bench, processes: int, load: Work) -> Sample:
    bench.chat.processes = processes
    try:
        return deliver(bench, bench.chat, load)
    finally:
        bench.chat.processes = 1
