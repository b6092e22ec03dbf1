"""Puts what runs found into docs/BENCHMARKS.md."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.cases import ALL, Case
from bench.report import UNITS, case_lines, goal_line
from bench.statistics import Figure, Goal, Results

BEGIN, END = "<!-- measured -->", "<!-- /measured -->"
PICTURES = {
    "goals": "each goal as a share of its limit",
    "latency": "CPU per delivery over the latency's p99",
    "rates": "CPU per delivery over the rate",
    "peers": "CPU per delivery, side by side",
}


def publish(runs: Sequence[Path], document: Path) -> None:
    """`runs`: the folders of their results. Replaces what stands between the document's two marks; the pictures go into
    a folder beside it. Raises ValueError where there are no marks."""
    before, begin, rest = document.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{document} has no place for it: {BEGIN} … {END}")
    pictures = document.parent / document.stem.lower()
    pictures.mkdir(exist_ok=True)
    parts = [part for found in runs for part in _run(found, pictures)]
    parts.append(UNITS)
    document.write_text(f"{before}{BEGIN}\n\n" + "\n\n".join(parts) + f"\n\n{END}{after}")


def _run(found: Path, pictures: Path) -> list[str]:
    run = json.loads((found / "bench.json").read_text())
    parts = [_about(run)]
    if run["goals"]:
        parts.append(_goals(run["goals"]))
    for name, text in PICTURES.items():
        if (found / f"{name}.svg").exists():
            shutil.copy(found / f"{name}.svg", pictures)
            parts.append(f"![{text}]({pictures.name}/{name}.svg)")
    return parts + [_case(ALL[name], samples) for name, samples in run["cases"].items()]


def _about(run: Mapping[str, Any]) -> str:
    machine = run["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
    left_out = "; ".join(f"{name} ({reason})" for name, reason in run["left_out"].items()) or "nobody"
    rounds = f"{run['rounds']} round{'' if run['rounds'] == 1 else 's'}"
    where = f"{machine['cores']} cores of {machine['cpu']}, {machine['memory']}, Linux {machine['kernel']}"
    return (
        f"Measured {run['at'][:10]} at commit {run['commit']}, {rounds}, on {where}: one core for what is measured, "
        f"the other for readers, posters, Redis and mongod. {versions}. Left out: {left_out}."
    )


def _goals(goals: Sequence[Mapping[str, Any]]) -> str:
    lines = [["#", "goal", "found", "wanted", ""]]
    for each in goals:
        figure = each["found"] and Figure(**each["found"])
        goal = Goal(each["row"], each["text"], figure, each["limit"], each["at_least"], each["unit"])
        lines.append(goal_line(goal))
    return _table(lines)


def _case(case: Case, samples: Sequence[Mapping[str, Any]]) -> str:
    results = Results()
    for each in samples:
        for sample in each["rounds"]:
            results.add(each["work"], each["candidate"], sample)
    return f"### {case.name}: {case.title}\n\n{_table(case_lines(case, results))}"


def _table(lines: Sequence[Sequence[str]]) -> str:
    rows = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([rows[0], "|---" * len(lines[0]) + "|", *rows[1:]])
