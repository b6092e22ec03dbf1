"""`scripts/bench`: measures all candidates in turn, round after round, and says which goals are met."""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import plots, report
from bench.bench import Bench, bench, machine, versions
from bench.cases import ALL, CHAT, QUICK, Case, Step, before
from bench.publish import publish
from bench.statistics import Goal, Results
from bench.tools import ToolError
from common.paths import ROOT, VAR
from common.private_server import StartError
from desk.programs import MissingProgram

ROUNDS = 3
QUICK_ROUNDS = 2
QUICK_HURRY = 0.5
"""How much shorter everything is when it shall be quick."""


class Progress:
    """Says what is being measured, how it went, and how long the rest may take."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._done = 0
        self._started = time.monotonic()

    def tell(self, round_number: int, case: Case, step: Step, found: str) -> None:
        self._done += 1
        spent = time.monotonic() - self._started
        left = spent / self._done * (self._steps - self._done)
        place = f"[{self._done}/{self._steps}, {spent / 60:.1f} min, {left / 60:.1f} to go]"
        print(f"{place} round {round_number}: {case.name}, {step.work}, {step.candidate}: {found}", flush=True)


def measure(bench: Bench, cases: Mapping[str, Case], rounds: int) -> dict[str, Results]:
    results = {name: Results() for name in cases}
    steps = {name: list(_steps(bench, case)) for name, case in cases.items()}
    progress = Progress(rounds * sum(map(len, steps.values())))
    for round_number in range(1, rounds + 1):
        for name, case in cases.items():
            # Every other round backwards: what slows down in the course of a run strikes nobody alone.
            for step in steps[name][:: 1 if round_number % 2 else -1]:
                sample, found = {}, ""
                try:
                    sample = step.measure(bench)
                    found = report.one_line(sample, case.columns)
                except (ToolError, StartError, OSError) as error:
                    found = f"failed: {error}"
                results[name].add(step.work, step.candidate, sample)
                progress.tell(round_number, case, step, found)
    return results


def _steps(bench: Bench, case: Case) -> Iterator[Step]:
    """Those whose candidates are here; where there is another checkout, each of the chat's is followed by its."""
    for step in case.steps(bench):
        if step.candidate not in bench.missing:
            yield step
            if step.candidate == CHAT and bench.before is not None:
                yield before(step)


def run(cases: Mapping[str, Case], rounds: int, hurry: float, folder: Path, checkout: Path | None = None) -> list[Goal]:
    print("==> starting mongod and Redis", flush=True)
    with bench(hurry, checkout) as here:
        for name, reason in here.missing.items():
            print(f"==> leaving out {name}: {reason}", flush=True)
        results = measure(here, cases, rounds)
        missing = here.missing
    goals = [goal for name, case in cases.items() for goal in case.goals(results[name])]
    for name, case in cases.items():
        print(f"\n{report.table(case, results[name])}")
    print(f"\n{report.UNITS}\n\n{report.goals_table(goals)}\n")
    if checkout is not None:
        print(f"{report.changes_table(cases, results)}\n")
    about: dict[str, Any] = {
        "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
    }
    about |= {"machine": machine(), "versions": versions(), "rounds": rounds, "hurry": hurry}
    folder.mkdir(parents=True, exist_ok=True)
    found = report.as_json(about, results, goals, missing)
    (folder / "bench.json").write_text(json.dumps(found, indent=1, ensure_ascii=False))
    drawn = plots.draw(results, goals, folder)
    print(
        f"in {folder}: bench.json"
        + "".join(f", {name}" for name in drawn)
        + ("" if drawn else "; no plots: no matplotlib")
    )
    return goals


def _commit() -> str:
    done = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=ROOT)
    return done.stdout.strip()


def _checkout(path: Path | None) -> Path | None:
    """Raises ToolError."""
    if path is None or (path / "chatserver" / "__main__.py").exists():
        return path and path.resolve()
    raise ToolError(f"there is no chat in {path}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("case", nargs="*", help=f"of {', '.join(ALL)}; all if none is named")
    parser.add_argument("--quick", action="store_true", help=f"three minutes: {', '.join(QUICK)}, or the cases named")
    parser.add_argument("--rounds", type=int, help=f"({ROUNDS}; {QUICK_ROUNDS} when quick)")
    parser.add_argument("--out", type=Path, default=VAR / "bench" / "results", help="(%(default)s)")
    parser.add_argument(
        "--publish",
        nargs="*",
        type=Path,
        metavar="RUN",
        help="measure nothing: put the results in these folders into the docs, or the last ones",
    )
    parser.add_argument(
        "--before", type=Path, metavar="CHECKOUT", help="do the chat's work with this checkout of it too, in turn"
    )
    options = parser.parse_args(arguments)
    if options.publish is not None:
        publish(options.publish or [options.out], ROOT / "docs" / "BENCHMARKS.md")
        return 0
    unknown = [name for name in options.case if name not in ALL]
    if unknown:
        parser.error(f"there is no case {', '.join(unknown)}; there are {', '.join(ALL)}")
    cases = {name: ALL[name] for name in options.case} or (QUICK if options.quick else ALL)
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    try:
        run(cases, rounds, QUICK_HURRY if options.quick else 1.0, options.out, _checkout(options.before))
    except (ToolError, MissingProgram, StartError) as error:
        print(f"scripts/bench can't go on: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
