"""What was measured, as text and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench.cases import BEFORE, CHAT, Case
from bench.statistics import Goal, Results, short

UNITS = """µs of CPU: cpu (per delivery, posting included), fan-out (per delivery, less the same posts without readers),
post (per post), Redis and mongod (per delivery, or per post where nobody reads), CPU each (per reader).
ms: p50 and p99 (from sending to each reader, or to the answer where nobody reads), last p50 and last p99 (until a
message's last reader has it), acknowledged p50. busy: share of its core that the load generator used. late: share of
posts that went out over 10 ms after their time, because all 100 connections were waiting for an answer. frame: bytes
per delivery on the wire. Figures are medians of all rounds [least–most]."""


def table(case: Case, results: Results) -> str:
    return f"{case.name}: {case.title}\n{_aligned(case_lines(case, results))}"


def case_lines(case: Case, results: Results) -> list[list[str]]:
    """What a case found: the names of its figures, then a line for each work and candidate."""
    columns = [name for name in case.columns if any(results.figure(*key, name) for key in results.samples)]
    lines = [["", "", *columns]]
    for work, candidate in results.samples:
        figures = [results.figure(work, candidate, name) for name in columns]
        lines.append([work, candidate, *("" if figure is None else str(figure) for figure in figures)])
    return lines


def goals_table(goals: Sequence[Goal]) -> str:
    return _aligned([["goal", "", "found", "wanted", ""], *map(goal_line, goals)])


def goal_line(goal: Goal) -> list[str]:
    return [goal.row, goal.text, str(goal.figure or "–"), goal.wanted, goal.verdict]


def changes_table(cases: Mapping[str, Case], results: Mapping[str, Results]) -> str:
    """Each figure of the chat, divided by that of the other checkout in the same round."""
    lines = [["case", "work", "figure", "now : before"]]
    for name, found in results.items():
        for work in dict.fromkeys(work for work, candidate in found.samples if candidate == BEFORE):
            ratios = ((column, found.ratio(column, (work, CHAT), (work, BEFORE))) for column in cases[name].columns)
            lines += [[name, work, column, str(ratio)] for column, ratio in ratios if ratio is not None]
    return _aligned(lines)


def as_json(
    about: Mapping[str, Any], results: Mapping[str, Results], goals: Sequence[Goal], missing: Mapping[str, str]
) -> dict[str, Any]:
    return {
        **about,
        "left_out": dict(missing),
        "goals": [
            {
                "row": goal.row,
                "text": goal.text,
                "unit": goal.unit,
                "limit": goal.limit,
                "at_least": goal.at_least,
                "found": None if goal.figure is None else goal.figure._asdict(),
                "verdict": goal.verdict,
            }
            for goal in goals
        ],
        "cases": {
            name: [
                {"work": work, "candidate": candidate, "rounds": samples}
                for (work, candidate), samples in found.samples.items()
            ]
            for name, found in results.items()
        },
    }


def one_line(sample: Mapping[str, float], columns: Sequence[str]) -> str:
    """A measurement that was just made."""
    return " · ".join(f"{name} {short(sample[name])}" for name in columns if name in sample) or "failed"


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
