"""`scripts/torture`: builds a world, breaks it under load, heals it, and judges."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from common.paths import ROOT, VAR
from torture.faults import plan
from torture.run import Load, Run
from torture.world.world import World

HISTORIES = 5
"""Violations that are told at length; the JSON has all of them."""

FAULTS_A_MINUTE = 10
LONGEST_SECONDS = 30.0
QUICK_MINUTES = 0.8
QUICK_LONGEST_SECONDS = 3.0


async def torture(options: argparse.Namespace) -> int:
    kinds = plan.possible(options.faults)
    minutes = QUICK_MINUTES if options.quick else options.minutes
    count = options.count or (len(kinds) if options.quick else round(minutes * FAULTS_A_MINUTE))
    longest = QUICK_LONGEST_SECONDS if options.quick else LONGEST_SECONDS
    world = World(options.source.resolve())
    print(f"seed {options.seed}, {count} faults of {len(kinds)} kinds; the world is in {world.folder}", flush=True)
    clean = False
    try:
        run = Run(world, Load(options.rooms, options.readers, options.rate, options.changes), options.seed)
        report, judge = await run.go(plan.Plan(options.seed, kinds, count, minutes * 60, longest), minutes * 60)
        print(report.table())
        for violation in judge.violations[:HISTORIES]:
            print("\n".join(["", f"VIOLATION ({violation.rule}): {violation.text}", *report.history(violation)]))
        if options.json:
            options.json.parent.mkdir(parents=True, exist_ok=True)
            options.json.write_text(json.dumps(report.json(_plain(options)), indent=1, ensure_ascii=False))
        clean = not judge.violations
        print(f"\n{len(judge.violations)} violations" + ("" if clean else f"; the logs are in {world.folder}"))
        return 0 if clean else 1
    finally:
        await world.stop(keep=options.keep or not clean)


def _plain(options: argparse.Namespace) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, Path) else value for name, value in vars(options).items()}


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/torture", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="time under load (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="each kind once, shortly: a minute and a half in all")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of the plan; random if not given")
    parser.add_argument(
        "--faults", type=lambda text: text.split(","), default=[], metavar="KIND,…", help=f"of {', '.join(plan.KINDS)}"
    )
    parser.add_argument("--count", type=int, help=f"how many faults; {FAULTS_A_MINUTE} a minute if not given")
    parser.add_argument("--rooms", type=int, default=5, help="(%(default)s)")
    parser.add_argument("--readers", type=int, default=25, help="(%(default)s)")
    parser.add_argument("--rate", type=float, default=30.0, help="messages a second in all rooms (%(default)s)")
    parser.add_argument(
        "--changes", type=float, default=12.0, help="edits, deletions and reactions a second (%(default)s)"
    )
    parser.add_argument("--json", type=Path, default=VAR / "torture.json", help="where to write all (%(default)s)")
    parser.add_argument("--source", type=Path, default=ROOT, help="the chat under torture, if another folder's")
    parser.add_argument("--keep", action="store_true", help="keep the world's folder")
    options = parser.parse_args()
    try:
        plan.possible(options.faults)
    except ValueError as error:
        parser.error(str(error))
    return _until_interrupted(torture(options))


def _until_interrupted(work: Coroutine[Any, Any, int]) -> int:
    with contextlib.suppress(KeyboardInterrupt):
        return asyncio.run(work)
    return 130


if __name__ == "__main__":
    sys.exit(main())
