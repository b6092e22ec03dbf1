"""What a case is: steps that are measured in turn, round after round, and goals that their results meet or miss."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from bench.bench import Bench
from bench.measuring import Work, deliver
from bench.statistics import Goal, Results, Sample

CHAT, NCHAN, FLOOR, TORNADO, STARLETTE = "chat", "nchan", "C floor", "Tornado, queues", "sse-starlette"
BEFORE = "chat before"
OTHERS = ("Mercure", "Centrifugo")
SERVERS = (NCHAN, *OTHERS)
"""Programs that others make for this work."""

DELIVERIES = ("cpu", "fan-out", "post", "Redis", "mongod", "p50", "p99", "last p99", "busy", "frame")
"""What the tables show of deliveries."""


class Step(NamedTuple):
    """One candidate at one work."""

    work: str
    candidate: str
    measure: Callable[[Bench], Sample]


def before(step: Step) -> Step:
    """The same work for the other checkout of the chat."""

    def measure(bench: Bench) -> Sample:
        with bench.as_before():
            return step.measure(bench)

    return Step(step.work, BEFORE, measure)


class Case(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def columns(self) -> tuple[str, ...]: ...

    def steps(self, bench: Bench) -> list[Step]: ...

    def goals(self, results: Results) -> list[Goal]: ...


def delivering(work: str, candidate: str, load: Work) -> Step:
    return Step(work, candidate, lambda bench: deliver(bench, bench.candidate(candidate), load))
