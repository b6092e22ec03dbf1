"""Figures over rounds, ratios of two candidates, and goals. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import NamedTuple

Sample = dict[str, float]
"""What one measurement found, by name. Empty where it failed."""


class Figure(NamedTuple):
    """A number and how far it went apart over the rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure | None:
        return cls(statistics.median(values), min(values), max(values)) if values else None

    def __str__(self) -> str:
        return f"{short(self.median)} [{short(self.low)}–{short(self.high)}]"


def ratio(ours: Sequence[float | None], theirs: Sequence[float | None]) -> Figure | None:
    """Each round's own ratio, since rounds differ more than candidates do: the machine has other work. A round in which
    one of the two is missing does not count."""
    pairs = zip(ours, theirs, strict=False)
    return Figure.of([our / their for our, their in pairs if our is not None and their])


class Results:
    """The samples of a case: by work and candidate, one for each round."""

    def __init__(self) -> None:
        self.samples: dict[tuple[str, str], list[Sample]] = {}

    def add(self, work: str, candidate: str, sample: Sample) -> None:
        self.samples.setdefault((work, candidate), []).append(sample)

    def values(self, work: str, candidate: str, name: str) -> list[float | None]:
        return [sample.get(name) for sample in self.samples.get((work, candidate), [])]

    def figure(self, work: str, candidate: str, name: str) -> Figure | None:
        return Figure.of([value for value in self.values(work, candidate, name) if value is not None])

    def ratio(self, name: str, ours: tuple[str, str], theirs: tuple[str, str]) -> Figure | None:
        """Of two works and candidates."""
        return ratio(self.values(*ours, name), self.values(*theirs, name))


class Goal(NamedTuple):
    """`row`: of the goals' table. `figure`: None where it could not be measured."""

    row: str
    text: str
    figure: Figure | None
    limit: float
    at_least: bool = False
    unit: str = "×"

    @property
    def met(self) -> bool | None:
        if self.figure is None:
            return None
        return self.figure.median >= self.limit if self.at_least else self.figure.median <= self.limit

    @property
    def verdict(self) -> str:
        return {None: "not measured", True: "met", False: "missed"}[self.met]

    @property
    def wanted(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {short(self.limit)} {self.unit}"


def short(value: float) -> str:
    """Three digits that matter."""
    if value and abs(value) < 10:
        return f"{value:.2f}" if abs(value) >= 0.01 else f"{value:.2g}"
    return f"{value:.1f}" if abs(value) < 100 else f"{value:,.0f}"
