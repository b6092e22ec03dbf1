"""What was measured, as pictures (SVG)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.cases.base import CHAT, NCHAN
from bench.statistics import Figure, Goal, Results


def draw(results: Mapping[str, Results], goals: Sequence[Goal], folder: Path) -> list[str]:
    """Writes a picture for what was measured of each kind. Returns their names; none where matplotlib is missing."""
    try:
        import matplotlib
    except ImportError:
        return []
    matplotlib.use("svg")
    matplotlib.rcParams |= {
        "svg.hashsalt": "bench",
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
    }
    drawn = []
    for name, picture in (("goals", _goals(goals)), ("rates", _rates(results)), ("peers", _peers(results))):
        if picture is not None:
            picture.savefig(folder / f"{name}.svg", bbox_inches="tight", metadata={"Date": None})
            drawn.append(f"{name}.svg")
    return drawn


def _goals(goals: Sequence[Goal]) -> Any:
    """Each goal as a share of its limit: left of the line it is met."""
    shown = [(goal, goal.figure) for goal in goals if goal.figure is not None]
    if not shown:
        return None
    figure, axes = _axes(7, 0.9 + 0.3 * len(shown))
    for place, (goal, found) in enumerate(reversed(shown)):
        shares = [_share(goal, value) for value in found]
        axes.barh(place, shares[0], color="#2a7f62" if goal.met else "#c8553d", height=0.6)
        axes.plot([min(shares), max(shares)], [place, place], color="black", linewidth=1)
    axes.axvline(1, color="black", linestyle="--", linewidth=1)
    axes.set_yticks(range(len(shown)), [f"{goal.text} ({goal.wanted})" for goal, _ in reversed(shown)])
    axes.set_xlabel("share of what the goal allows: met up to 1; the thin line is the spread over rounds")
    return figure


def _share(goal: Goal, value: float) -> float:
    return goal.limit / value if goal.at_least else value / goal.limit


def _rates(results: Mapping[str, Results]) -> Any:
    """CPU per delivery over the rate."""
    found = [(results[name], rates) for name, rates in (("fan-out", (2, 20, 100)), ("hot", (400,))) if name in results]
    lines = {
        "chat, fan-out": (CHAT, "fan-out", "#2a7f62", "-"),
        "chat, with durable posting": (CHAT, "cpu", "#2a7f62", "--"),
        "nchan, with posting": (NCHAN, "cpu", "#35618e", "-"),
    }
    figure, axes = _axes(6, 3.5)
    for label, (candidate, name, colour, style) in lines.items():
        points = [
            (rate, value)
            for part, rates in found
            for rate in rates
            if (value := part.figure(f"{rate}/s", candidate, name))
        ]
        if points:
            _line(axes, points, label, colour, style)
    if not axes.lines:
        return None
    axes.set_xscale("log")
    axes.set_xticks([2, 20, 100, 400], ["2", "20", "100", "400"])
    axes.set_ylim(bottom=0)
    axes.set_xlabel("messages a second, 1,000 readers of one room")
    axes.set_ylabel("µs of CPU per delivery")
    axes.legend(frameon=False)
    return figure


def _line(axes: Any, points: Sequence[tuple[int, Figure]], label: str, colour: str, style: str) -> None:
    rates = [rate for rate, _ in points]
    axes.plot(rates, [value.median for _, value in points], style, marker="o", color=colour, label=label)
    axes.fill_between(
        rates, [value.low for _, value in points], [value.high for _, value in points], color=colour, alpha=0.12
    )


def _peers(results: Mapping[str, Results]) -> Any:
    """Everyone at the same work."""
    found = results.get("peers")
    bars = [
        (candidate, value)
        for work, candidate in (found.samples if found else ())
        if found and (value := found.figure(work, candidate, "fan-out"))
    ]
    if not bars:
        return None
    bars.sort(key=lambda bar: -bar[1].median)
    figure, axes = _axes(6, 0.8 + 0.35 * len(bars))
    for place, (candidate, value) in enumerate(bars):
        axes.barh(place, value.median, color="#2a7f62" if candidate == CHAT else "#35618e", height=0.6)
        axes.plot([value.low, value.high], [place, place], color="black", linewidth=1)
        axes.annotate(f" {value.median:.1f}", (value.high, place), va="center")
    axes.set_yticks(range(len(bars)), [candidate for candidate, _ in bars])
    axes.set_xlabel("µs of CPU per delivery, fan-out share; 1,000 readers, 20 messages a second")
    return figure


def _axes(width: float, height: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure as Picture

    figure = Picture(figsize=(width, height))
    return figure, figure.subplots()
