"""How the chat's cost grows with readers, rate and size. No goals, only curves."""

from __future__ import annotations

from functools import partial

from bench.bench import Bench
from bench.cases.base import CHAT, DELIVERIES, SERVERS, Step, delivering
from bench.cases.storm import return_to_chat
from bench.measuring import Work
from bench.statistics import Goal, Results


class Growth:
    name = "growth"
    title = "how the cost of a delivery grows"
    columns = DELIVERIES
    readers = (10, 100, 1_000, 5_000)
    sizes = (240, 1_000, 2_000)

    def steps(self, bench: Bench) -> list[Step]:
        seconds = bench.seconds(4)
        works = [(f"{readers:,} readers", Work(readers, 20, seconds)) for readers in self.readers]
        works += [(f"{size:,} bytes", Work(1_000, 20, seconds, frame_bytes=size)) for size in self.sizes]
        return [delivering(name, candidate, work) for name, work in works for candidate in (CHAT, *SERVERS)]

    def goals(self, results: Results) -> list[Goal]:
        return []


class Backlog:
    """The ring has 512 to 1,024 messages; who is further behind reads pages of the log."""

    name = "backlog"
    title = "how the cost of a return grows: 1,000 readers come back at once"
    columns = ("seconds", "CPU each", "Redis reads", "MongoDB reads", "busy")
    readers = 1_000
    behind = (10, 100, 500, 2_000)

    def steps(self, bench: Bench) -> list[Step]:
        return [
            Step(f"{behind:,} behind", CHAT, partial(return_to_chat, self.readers, behind, later=0))
            for behind in self.behind
        ]

    def goals(self, results: Results) -> list[Goal]:
        return []
