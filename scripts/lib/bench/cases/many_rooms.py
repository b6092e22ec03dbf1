"""Streams of many rooms, as the page holds one: each has ids of its own, so no two are sent the same bytes."""

from __future__ import annotations

from functools import partial

from bench import words
from bench.bench import Bench
from bench.cases.base import CHAT, DELIVERIES, SERVERS, Step
from bench.measuring import Meter
from bench.statistics import Goal, Results, Sample
from bench.tools import ToolError

READERS = 1_000
RATE = 20


class ManyRooms:
    name = "many-rooms"
    title = f"{READERS:,} streams of many rooms each, {RATE} messages a second, spread over the rooms"
    columns = ("cpu", *DELIVERIES[3:])
    rooms = (1, 5, 20)

    def steps(self, bench: Bench) -> list[Step]:
        return [
            Step(_work(rooms), candidate, partial(_measure, name=candidate, rooms=rooms))
            for rooms in self.rooms
            for candidate in (CHAT, *SERVERS)
        ]

    def goals(self, results: Results) -> list[Goal]:
        return []


def _work(rooms: int) -> str:
    return "1 room" if rooms == 1 else f"{rooms} rooms"


def _measure(bench: Bench, name: str, rooms: int) -> Sample:
    """As `measuring.deliver`, but that every reader follows all rooms. Raises ToolError."""
    candidate, seconds = bench.candidate(name), bench.seconds(5)
    with candidate.running():
        if candidate is bench.chat:
            bench.chat.make_rooms(rooms)
        posts = [candidate.post(room, words.FRAME_BYTES) for room in range(rooms)]
        readers = bench.tools.readers(candidate.port, READERS, [candidate.stream_of(range(rooms))])
        try:
            readers.ready()
            warm = bench.tools.posts(candidate.port, posts, rate=RATE, seconds=2).finish()
            readers.wait_for(warm["posts"] * READERS, 10)
            readers.mark()
            meter = Meter(candidate)
            report = bench.tools.posts(candidate.port, posts, rate=RATE, seconds=seconds).finish()
            owed = report["posts"] * READERS
            seen = readers.wait_for(owed, 10)
            used = meter.microseconds()
        finally:
            readers.close()
    if seen["messages"] != owed:
        raise ToolError(f"{seen['messages']:,} of {owed:,} deliveries came; {seen['closed']} streams were closed")
    sample = {"cpu": used.pop("served") / owed} | {store: spent / owed for store, spent in used.items()}
    sample |= {each: seen[each.replace(" ", "_")] for each in ("p50", "p99", "last p99", "busy")}
    return sample | {"frame": seen["bytes"] / owed}
