"""What was measured, as pictures (SVG)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.cases.base import CHAT, NCHAN, OTHERS
from bench.statistics import Figure, Goal, Results

COLOURS = {CHAT: "#2a7f62", NCHAN: "#35618e", **dict(zip(OTHERS, ("#c8553d", "#8a6d3b"), strict=True))}
OTHER_COLOUR = "#777777"
RATES = {"fan-out": (2, 20, 100), "hot": (400,)}
"""Messages a second of the cases with 1,000 readers of one room."""


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
    pictures = {
        "goals": _goals(goals),
        "latency": _latency(results),
        "rates": _rates(results),
        "peers": _peers(results),
    }
    for name, picture in pictures.items():
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
    found = [(results[name], rates) for name, rates in RATES.items() if name in results]
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


def _latency(results: Mapping[str, Results]) -> Any:
    """What a delivery costs over how late the slowest hundredth comes: one line for each candidate, over the rates. Who
    is further to the left and below is better."""
    lines = {name: points for name in COLOURS if (points := costs_and_delays(results, name))}
    lines |= of_one_rate(results, set(lines))
    if not lines:
        return None
    markers = dict(zip((name for name in lines if name not in COLOURS), "s^Dv", strict=False))
    figure, axes = _axes(6, 4)
    for name, points in lines.items():
        delays, costs = [point[1] for point in points], [point[2] for point in points]
        axes.plot(delays, costs, "-", marker=markers.get(name, "o"), color=COLOURS.get(name, OTHER_COLOUR), label=name)
        for label, delay, cost in points:
            axes.annotate(label, (delay, cost), (4, 4), textcoords="offset points", fontsize=7)
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        _plain_ticks(axis)
    axes.set_xlabel("ms, latency p99; beside the points: messages a second")
    axes.set_ylabel("µs of CPU per delivery, fan-out share")
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def _plain_ticks(axis: Any) -> None:
    """At 1, 2, 5, 10 and so on, as people write numbers, not as powers."""
    from matplotlib.ticker import LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


Points = list[tuple[str, float, float]]
"""A label, ms, and µs each."""


def costs_and_delays(results: Mapping[str, Results], candidate: str) -> Points:
    """The medians of a candidate at each rate at which it was measured."""
    works = [
        (results[name], f"{rate}/s", str(rate)) for name, rates in RATES.items() if name in results for rate in rates
    ]
    return [point for part, work, label in works for point in _point(part, work, candidate, label)]


def of_one_rate(results: Mapping[str, Results], drawn: Collection[str]) -> dict[str, Points]:
    """Those who were measured at one rate alone."""
    part = results.get("peers")
    keys = [key for key in part.samples if key[1] not in drawn] if part else []
    return {
        name: points for work, name in keys if part and (points := _point(part, work, name, work.removesuffix("/s")))
    }


def _point(part: Results, work: str, candidate: str, label: str) -> Points:
    delay, cost = part.figure(work, candidate, "p99"), part.figure(work, candidate, "fan-out")
    return [(label, delay.median, cost.median)] if delay and cost and cost.median > 0 else []


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
