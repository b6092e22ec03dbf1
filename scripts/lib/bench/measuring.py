"""The measurement that most cases share: readers, posts, and what each delivery costs."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bench import words
from bench.bench import Bench
from bench.candidates import Candidate
from bench.statistics import Sample
from bench.tools import AT_ONCE, Readers, ToolError
from common import usage

SETTLE_SECONDS = 0.5

LATEST_SECONDS = 10.0
"""How long after the last post its delivery is waited for."""


@dataclass(frozen=True)
class Work:
    """`rate`: messages a second in all rooms. The readers are spread evenly over the rooms."""

    readers: int
    rate: float
    seconds: float
    rooms: int = 1
    frame_bytes: int = words.FRAME_BYTES
    alone: bool = True
    """Whether the same posts without readers are measured first."""


class Meter:
    """CPU time from now on, of who serves and of each store."""

    def __init__(self, candidate: Candidate) -> None:
        self._pids = {"served": candidate.pids()} | {name: [pid] for name, pid in candidate.stores().items()}
        self._before = {name: usage.cpu_seconds(pids) for name, pids in self._pids.items()}

    def microseconds(self) -> dict[str, float]:
        return {name: 1e6 * (usage.cpu_seconds(pids) - self._before[name]) for name, pids in self._pids.items()}


def deliver(bench: Bench, candidate: Candidate, work: Work) -> Sample:
    """µs of CPU per delivery: `cpu` with all that posting costs, `fan-out` less the same posts without readers, and of
    each store. ms from sending to each reader: `p50`, `p99`; to a message's last reader: `last p50`, `last p99`.
    Raises ToolError."""
    with candidate.running():
        if candidate is bench.chat:
            bench.chat.make_rooms(work.rooms)
        posts = [candidate.post(room, work.frame_bytes) for room in range(work.rooms)]
        _warm_up(bench, candidate, work, posts)
        alone = _posts_alone(bench, candidate, work, posts) if work.alone else None
        streams = [candidate.stream(room) for room in range(work.rooms)]
        # A reader opens its room, and that takes longer than to join one: not many rooms at a time.
        readers = bench.tools.readers(candidate.port, work.readers, streams, at_once=100 if work.rooms > 1 else AT_ONCE)
        try:
            readers.ready()
            _warm_up(bench, candidate, work, posts[:1], readers)
            sample = _measure(bench, candidate, work, posts, readers)
            return sample if alone is None else _less(sample, alone)
        finally:
            readers.close()


def _warm_up(
    bench: Bench, candidate: Candidate, work: Work, posts: list[bytes], readers: Readers | None = None
) -> None:
    """One message in each room at the least, since the first is dearer; until the readers have all of them."""
    if readers is not None:
        readers.mark()
    rate = max(work.rate, 20)
    report = bench.tools.posts(candidate.port, posts, rate=rate, seconds=max(1.0, 1.1 * len(posts) / rate)).finish()
    if readers is not None:
        readers.wait_for(report["posts"] * work.readers // work.rooms, LATEST_SECONDS)
    time.sleep(SETTLE_SECONDS)


def _posts_alone(bench: Bench, candidate: Candidate, work: Work, posts: list[bytes]) -> Sample:
    meter = Meter(candidate)
    report = bench.tools.posts(candidate.port, posts, rate=work.rate, seconds=work.seconds).finish()
    return {"post": meter.microseconds()["served"] / report["posts"]}


def _measure(bench: Bench, candidate: Candidate, work: Work, posts: list[bytes], readers: Readers) -> Sample:
    readers.mark()
    meter = Meter(candidate)
    report = bench.tools.posts(candidate.port, posts, rate=work.rate, seconds=work.seconds).finish()
    owed = report["posts"] * work.readers // work.rooms
    seen = readers.wait_for(owed, LATEST_SECONDS)
    used = meter.microseconds()
    if seen["messages"] != owed:
        raise ToolError(f"{seen['messages']:,} of {owed:,} deliveries came; {seen['closed']} streams were closed")
    sample = {"cpu": used.pop("served") / owed, "posts": report["posts"], "deliveries": owed}
    sample |= {name: spent / owed for name, spent in used.items()}
    sample |= {name: seen[name.replace(" ", "_")] for name in ("p50", "p99", "max", "last p50", "last p99", "busy")}
    return sample | {
        "frame": seen["bytes"] / owed,
        "acknowledged p50": report["p50"],
        "late": report["late"] / report["posts"],
    }


def _less(sample: Sample, alone: Sample) -> Sample:
    spent_on_posts = alone["post"] * sample["posts"] / sample["deliveries"]
    return sample | alone | {"fan-out": sample["cpu"] - spent_on_posts}
