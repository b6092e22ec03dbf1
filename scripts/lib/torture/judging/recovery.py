"""How long after each fault all was well: a new post through each chat was answered, a reader of each saw one."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass

from torture.people.journal import Fault, Journal
from torture.people.reader import Reader

STREAM = re.compile(r"stream \d+ via (chat-\w)")


@dataclass(frozen=True)
class Recovery:
    """Of one kind of fault. `slowest`: seconds after the mending, whatever else was broken by then."""

    count: int
    recovered: int
    slowest: float
    median: float


class Recoveries:
    def __init__(self, journal: Journal, readers: list[Reader], doors: list[str]) -> None:
        self._faults = journal.faults
        # (begun, done) of all that went well, by the door it went through.
        self._done: dict[str, list[tuple[float, float]]] = {
            f"{way} {door}": [] for way in ("post", "read") for door in doors
        }
        posted = {post.name: post.attempts[0].at for post in journal.posts if post.attempts}
        for post in journal.posts:
            for attempt in post.attempts:
                if attempt.status in {200, 201} and attempt.via in doors:
                    self._done[f"post {attempt.via}"].append((attempt.at, attempt.until))
        for track in (track for reader in readers for track in reader.tracks.values()):
            for seen in track.seen:
                if (match := STREAM.fullmatch(seen.how)) and seen.name in posted:
                    self._done[f"read {match[1]}"].append((posted[seen.name], seen.at))
        for done in self._done.values():
            done.sort(key=lambda each: each[1])

    def of(self, fault: Fault) -> float | None:
        """Seconds, or None: it never was."""
        if fault.until is None:
            return None
        mended = fault.until
        firsts = [_first(done, mended) for done in self._done.values()]
        known = [end for end in firsts if end is not None]
        return max(known) - mended if len(known) == len(firsts) else None

    def by_kind(self) -> dict[str, Recovery]:
        found: dict[str, list[float | None]] = defaultdict(list)
        for fault in self._faults:
            found[fault.kind].append(self.of(fault))
        kinds = {}
        for kind, all_seconds in sorted(found.items()):
            seconds = sorted(each for each in all_seconds if each is not None)
            slowest, median = (seconds[-1], seconds[len(seconds) // 2]) if seconds else (0.0, 0.0)
            kinds[kind] = Recovery(len(all_seconds), len(seconds), slowest, median)
        return kinds


def _first(done: list[tuple[float, float]], mended: float) -> float | None:
    """When the first that was begun after the mending was done."""
    index = bisect_left(done, mended, key=lambda each: each[1])
    return next((end for begun, end in done[index:] if begun >= mended), None)
