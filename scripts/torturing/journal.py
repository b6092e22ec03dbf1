"""What happened, as those outside saw it: posts with their answers, faults, and answers nobody should ever get."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise


@dataclass
class Attempt:
    """One POST /messages. `status` 0: no answer, `why` says in what way."""

    at: float
    via: str
    until: float = 0.0
    status: int = 0
    id: str = ""
    why: str = ""


@dataclass
class Post:
    """A message that somebody wants to be heard, under one client id, in as many attempts as it takes."""

    room: int
    user: int
    client_id: str
    content: str
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def name(self) -> tuple[int, str]:
        return self.user, self.client_id

    @property
    def acknowledged(self) -> Attempt | None:
        """The first attempt (by the time of the answer) that was answered with success."""
        answered = [attempt for attempt in self.attempts if attempt.status in {200, 201}]
        return min(answered, key=lambda attempt: attempt.until, default=None)

    @property
    def ids(self) -> set[str]:
        return {attempt.id for attempt in self.attempts if attempt.status in {200, 201}}


@dataclass
class Fault:
    kind: str
    at: float
    what: str = ""
    until: float | None = None

    def touches(self, start: float, end: float) -> bool:
        return self.at <= end and (self.until is None or self.until >= start)


class Journal:
    def __init__(self) -> None:
        self._began = time.monotonic()
        self.posts: list[Post] = []
        self.faults: list[Fault] = []
        self.oddities: list[str] = []

    def begin(self) -> None:
        """The clock starts now."""
        self._began = time.monotonic()

    def now(self) -> float:
        """Seconds since the start."""
        return round(time.monotonic() - self._began, 3)

    def odd(self, text: str) -> None:
        """Something that breaks the contract by itself, whatever else happens: a 500, a 4xx for a good request."""
        self.oddities.append(f"{self.now():.3f} {text}")

    def longest_silence(self) -> tuple[float, float]:
        """The longest time in which nothing was acknowledged though somebody posted: seconds, and since when."""
        answers = (post.acknowledged for post in self.posts)
        times = sorted(answer.until for answer in answers if answer is not None)
        return max(((late - early, early) for early, late in pairwise(times)), default=(0.0, 0.0))

    @contextmanager
    def fault(self, kind: str) -> Iterator[Fault]:
        fault = Fault(kind, self.now())
        self.faults.append(fault)
        try:
            yield fault
        finally:
            fault.until = self.now()
