"""`scripts/strain`: puts the chat under the loads that hurt, and says which goals are met."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path

from common.paths import VAR
from common.private_server import StartError
from desk.programs import MissingProgram
from strain.busy_tab import busy_tab
from strain.findings import Findings
from strain.hostile import hostile_clients
from strain.outages import empty_redis, no_archive
from strain.restarts import rolling_restarts
from strain.standstill import stopped_readers
from strain.tab import long_tab
from strain.worst_user import one_worst_user

CASES: dict[str, Callable[[float], Awaitable[Findings]]] = {
    "rolling": rolling_restarts,
    "empty-redis": empty_redis,
    "no-archive": no_archive,
    "stopped-readers": stopped_readers,
    "hostile": hostile_clients,
    "tab": long_tab,
    "busy-tab": busy_tab,
    "worst-user": one_worst_user,
}

QUICK = 0.1


async def strain(names: list[str], size: float) -> list[Findings]:
    found: list[Findings] = []
    for name in names:
        began = time.monotonic()
        print(f"==> {name}", flush=True)
        found.append(await CASES[name](size))
        print(f"  {time.monotonic() - began:.0f} s", flush=True)
    return found


def tell(found: list[Findings], size: float, result: Path) -> int:
    """Returns the exit status."""
    print("", *(findings.table() for findings in found), sep="\n")
    result.parent.mkdir(parents=True, exist_ok=True)
    result.write_text(json.dumps({"size": size, "cases": [asdict(findings) for findings in found]}, indent=1))
    return 0 if all(findings.is_clean for findings in found) else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/strain", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="case", help=f"of {', '.join(CASES)}; all if none is given")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything, or little more")
    parser.add_argument("--json", type=Path, default=VAR / "strain.json", help="(%(default)s)")
    options = parser.parse_args()
    if unknown := set(options.cases) - set(CASES):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    try:
        with contextlib.suppress(KeyboardInterrupt):
            size = QUICK if options.quick else 1.0
            return tell(asyncio.run(strain(options.cases or list(CASES), size)), size, options.json)
    except (StartError, MissingProgram, TimeoutError) as error:
        print(f"strain can't go on: {error}", file=sys.stderr)
        return 2
    return 130


if __name__ == "__main__":
    sys.exit(main())
