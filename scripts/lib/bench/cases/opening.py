"""What it costs to open a room, by how much was said in it."""

from __future__ import annotations

import statistics
import time
from functools import partial

from bench import cores
from bench.bench import Bench
from bench.cases.base import CHAT, Step
from bench.measuring import Meter
from bench.statistics import Goal, Results, Sample
from common.http_client import request_now

SHORT, LONG = 50, 100_000
TIMES = 100
ROOMS = {SHORT: 1, LONG: 2}
"""Rooms of their own, so that no other case says anything in them."""


class Opening:
    name = "opening"
    title = "the page of a room, and its newest 50 messages as JSON"
    columns = ("page p50", "page p99", "JSON p50", "JSON p99", "around p50", "around p99", "CPU ms")

    def steps(self, bench: Bench) -> list[Step]:
        return [Step(_work(messages), CHAT, partial(_measure, messages=messages)) for messages in ROOMS]

    def goals(self, results: Results) -> list[Goal]:
        ratio = results.ratio("page p50", (_work(LONG), CHAT), (_work(SHORT), CHAT))
        return [Goal("–", f"a room with {LONG:,} messages, its page : with {SHORT}", ratio, 1.2)]


def _work(messages: int) -> str:
    return f"{messages:,} messages"


def _measure(bench: Bench, messages: int) -> Sample:
    """Of TIMES requests, one after the other; `CPU ms`: of the server, for one of each kind."""
    chat, room = bench.chat, ROOMS[messages]
    with chat.running():
        chat.make_rooms(max(ROOMS.values()) + 1)
        id = chat.room_id(room)
        newest = chat.ask("GET", f"/rooms/{id}/messages")["messages"]
        if not newest:
            # As many as there shall be: the poster is told a rate and a time, and keeps to both.
            bench.tools.posts(
                chat.port, [chat.post(room)], rate=min(messages, 2_500), seconds=max(1, messages / 2_500)
            ).finish()
            newest = chat.ask("GET", f"/rooms/{id}/messages")["messages"]
        anchor = newest[len(newest) // 2]["id"]
        paths = {
            "page": (f"/chat/{id}", "text/html"),
            "JSON": (f"/rooms/{id}/messages", "application/json"),
            "around": (f"/rooms/{id}/messages?around={anchor}", "application/json"),
        }
        for path, accept in paths.values():
            _get(chat.port, path, accept, chat.cookie())
        meter = Meter(chat)
        taken: dict[str, list[float]] = {name: [] for name in paths}
        with cores.on(bench.machine.load):
            for _ in range(TIMES):
                for name, (path, accept) in paths.items():
                    started = time.perf_counter()
                    _get(chat.port, path, accept, chat.cookie())
                    taken[name].append(1e3 * (time.perf_counter() - started))
        used = meter.microseconds()["served"] / 1e3 / TIMES
    p50 = {f"{name} p50": statistics.median(values) for name, values in taken.items()}
    p99 = {f"{name} p99": sorted(values)[int(len(values) * 0.99)] for name, values in taken.items()}
    return p50 | p99 | {"CPU ms": used}


def _get(port: int, path: str, accept: str, cookie: str) -> None:
    answer = request_now(port, "GET", path, headers={"Accept": accept, "Cookie": cookie})
    if answer.status != 200:
        raise OSError(f"GET {path}: {answer.status}")
