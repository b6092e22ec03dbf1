"""What a case found: figures with their goals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Figure:
    """`goal`: what it must not exceed, if there is one. `is_promise`: to miss it is a failure, not a slow machine."""

    name: str
    value: float
    unit: str = ""
    goal: float | None = None
    is_promise: bool = False

    @property
    def is_met(self) -> bool:
        return self.goal is None or self.value <= self.goal

    def __str__(self) -> str:
        goal = (
            "" if self.goal is None else f"at most {self.goal:,.4g}{self.unit}   {'met' if self.is_met else 'MISSED'}"
        )
        return f"  {self.name:<58} {self.value:>10,.4g}{self.unit:<4} {goal}".rstrip()


@dataclass
class Findings:
    case: str
    figures: list[Figure] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """Each a sentence about a promise that was broken."""

    def figure(
        self, name: str, value: float, unit: str = "", *, goal: float | None = None, promise: bool = False
    ) -> None:
        self.figures.append(Figure(name, value, unit, goal, promise))

    @property
    def is_clean(self) -> bool:
        return not self.wrong and all(figure.is_met for figure in self.figures if figure.is_promise)

    def table(self) -> str:
        lines = [self.case, *map(str, self.figures)]
        return "\n".join(lines + [f"  BROKEN: {text}" for text in self.wrong[:10]])


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so large a share of them does not exceed. 0 where there are none."""
    in_order = sorted(values)
    return in_order[min(len(in_order) - 1, int(share * len(in_order)))] if in_order else 0.0
