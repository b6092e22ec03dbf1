"""Where the chat's time goes: a sampling profiler's stacks, counted by the part of the program they end in."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from bench.bench import Bench
from bench.cases.base import CHAT, Step
from bench.statistics import Goal, Results, Sample
from bench.tools import ToolError

SAMPLES_A_SECOND = 250

PARTS = {
    "rounds": (
        "chatserver/live/feed.py",
        "chatserver/live/fanout.py",
        "chatserver/live/ring.py",
        "chatserver/live/subscription.py",
    ),
    "handlers": ("chatserver/web/",),
    "log, archive": ("chatserver/",),
    "Tornado": ("tornado/",),
    "MongoDB's driver": ("motor/", "pymongo/", "bson/", "concurrent/", "threading.py"),
    "Redis's client": ("redis/", "hiredis/"),
    "event loop": ("asyncio/", "uvloop/"),
}
"""By the file of the innermost frame, in this order; what is none of them is `rest`. What a C function spends counts
for who called it: the kernel's share of a send is the round's."""

WAITING = (
    "_worker (concurrent/futures/thread.py",
    "_run (pymongo/periodic_executor.py",
    "recv_into (pymongo/network_layer.py",
)
"""Where threads stand that have nothing to do, which the profiler can't always tell from work."""


class Profile:
    name = "profile"
    title = "where the time goes: % of the samples in which the chat was at work"
    columns: ClassVar[tuple[str, ...]] = (*PARTS, "rest", "samples", "p50", "p99")

    def steps(self, bench: Bench) -> list[Step]:
        return [
            Step("1,000 readers, 20/s", CHAT, lambda bench: _sample(bench, readers=1_000, rate=20)),
            Step("100 posts in flight", CHAT, lambda bench: _sample(bench, readers=0, rate=0)),
        ]

    def goals(self, results: Results) -> list[Goal]:
        return []


def _sample(bench: Bench, readers: int, rate: float) -> Sample:
    """Raises ToolError."""
    chat, seconds = bench.chat, bench.seconds(6)
    with chat.running(), tempfile.TemporaryDirectory() as folder:
        streams = bench.tools.readers(chat.port, readers, [chat.stream(0)]) if readers else None
        try:
            if streams is not None:
                streams.ready()
                streams.mark()
            posts = bench.tools.posts(chat.port, [chat.post(0)], rate=rate, seconds=seconds + 2)
            stacks = _record(chat.pids()[0], seconds, Path(folder) / "stacks")
            acknowledged = posts.finish()
            delays = acknowledged if streams is None else streams.report()
        finally:
            if streams is not None:
                streams.close()
    return shares(stacks) | {name: delays[name] for name in ("p50", "p99")}


def _record(pid: int, seconds: float, file: Path) -> list[str]:
    command = [Path(sys.executable).with_name("py-spy"), "record", "--format", "raw", "--output", file, "--pid", pid]
    command += ["--duration", int(seconds), "--rate", SAMPLES_A_SECOND]
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    except FileNotFoundError:
        raise ToolError("py-spy is needed for that") from None
    if done.returncode or not file.exists():
        raise ToolError(f"py-spy could not look: {done.stderr.strip()[-200:]}")
    return file.read_text().splitlines()


def shares(stacks: Iterable[str]) -> Sample:
    """`stacks`: lines of frames, outermost first, each `name (file:line)`, and how often that was seen."""
    counts: Counter[str] = Counter()
    for line in stacks:
        frames, _, count = line.rpartition(" ")
        innermost = frames.rsplit(";", 1)[-1]
        if not innermost.startswith(WAITING):
            counts[part_of(innermost)] += int(count)
    seen = counts.total()
    return {part: 100 * count / seen for part, count in counts.items()} | {"samples": float(seen)}


def part_of(frame: str) -> str:
    file = frame.rpartition("(")[2]
    for part, beginnings in PARTS.items():
        if file.startswith(beginnings):
            return part
    return "rest"
