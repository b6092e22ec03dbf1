"""What happened, as those outside saw it: what was wished with its answers, faults, and answers nobody should get."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from torture.people.texts import Name, Texts

SUCCESS = frozenset({200, 201, 204})
TOO_LATE = 409
"""The message was deleted by then."""


@dataclass
class Attempt:
    """One request. `status` 0: no answer, `why` says in what way. `times`: to how many chats it may have come."""

    at: float
    via: str
    until: float = 0.0
    status: int = 0
    id: str = ""
    why: str = ""
    times: int = 1

    @property
    def succeeded(self) -> bool:
        return self.status in SUCCESS

    @property
    def over(self) -> float:
        """When it has done what it may do. Without an answer from each whom it came to, or with a 5xx, it may do so at
        any time."""
        answered = self.times == 1 and (self.succeeded or 400 <= self.status < 500)
        return self.until if answered else float("inf")


@dataclass
class Post:
    """A message that somebody wants to be heard, under one client id, in as many attempts as it takes.

    `text`: its word. `reply_to`: the message that it replies to. `wishes`: what people want to become of it.
    """

    room: int
    user: int
    client_id: str
    text: str
    attempts: list[Attempt] = field(default_factory=list)
    reply_to: Post | None = None
    wishes: list[Wish] = field(default_factory=list, repr=False, compare=False)

    @property
    def deletion_asked(self) -> bool:
        return any(wish.kind == "deleted" for wish in self.wishes)

    @property
    def name(self) -> Name:
        return self.user, self.client_id

    @property
    def acknowledged(self) -> Attempt | None:
        """The first attempt (by the time of the answer) that was answered with success."""
        return _first_success(self.attempts)

    @property
    def refused(self) -> bool:
        """What it replies to was deleted."""
        return any(attempt.status == 422 for attempt in self.attempts)

    @property
    def ids(self) -> set[str]:
        return {attempt.id for attempt in self.attempts if attempt.status in {200, 201}}


@dataclass
class Wish:
    """What somebody wants to become of a message that was acknowledged. `text`: the word of what it shall say."""

    kind: str
    post: Post
    user: int
    text: str = ""
    emoji: str = ""
    on: bool = False
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def message(self) -> str:
        """The id of the message."""
        first = self.post.acknowledged
        assert first is not None
        return first.id

    @property
    def acknowledged(self) -> Attempt | None:
        return _first_success(self.attempts)

    @property
    def came_too_late(self) -> bool:
        return any(attempt.status == TOO_LATE for attempt in self.attempts)

    def __str__(self) -> str:
        what = f"{self.emoji} {'on' if self.on else 'off'}" if self.emoji else self.text
        return f"{self.kind} {what} of {self.message} by {self.user}"


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
        self.texts = Texts()
        self.posts: list[Post] = []
        self.wishes: list[Wish] = []
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


def _first_success(attempts: list[Attempt]) -> Attempt | None:
    return min((each for each in attempts if each.succeeded), key=lambda attempt: attempt.until, default=None)
