"""The same messages in few rooms and in many."""

from __future__ import annotations

from bench.bench import Bench
from bench.cases.base import CHAT, SERVERS, Step, delivering
from bench.measuring import Work
from bench.statistics import Goal, Results


class Rooms:
    name = "rooms"
    title = "1,000 messages a second spread over rooms with 2 readers each"
    columns = ("cpu", "Redis", "mongod", "p50", "p99", "acknowledged p50", "late")
    counts = (50, 500, 5_000)

    def steps(self, bench: Bench) -> list[Step]:
        return [
            delivering(
                f"{count:,} rooms", candidate, Work(2 * count, 1_000, bench.seconds(8), rooms=count, alone=False)
            )
            for count in self.counts
            for candidate in (CHAT, *SERVERS)
        ]

    def goals(self, results: Results) -> list[Goal]:
        cost = results.ratio("cpu", ("5,000 rooms", CHAT), ("50 rooms", CHAT))
        return [Goal("–", "5,000 rooms, CPU per delivery : 50 rooms", cost, 1.3)]
