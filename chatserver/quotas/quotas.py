"""The table of quotas: for each action its limit, the key it is counted by, and how fast it comes back.

Each is a burst that may be spent at once, and comes back evenly over `seconds`. They are meant to stop programs that
went wrong or mean ill: a fast hand, twenty tabs after a restart, a modest bot stay far below. README.md has the same
table for operators.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

LEASE_SHARE = 10
"""A process leases at most one part in so many of a quota at a time."""

SMALLEST_LEASE_SHARE = 100
"""And at least one part in so many, so that a user who writes every few seconds needs no request to Redis each time."""

LEASE_SECONDS = 15.0
"""Longest lifetime of a lease."""

MINUTE, HOUR, DAY = 60, 3_600, 86_400


class Quota(NamedTuple):
    """`verb`: the action that is counted; `by`: the key it is counted by. `burst`: so many at once, and again in
    `seconds`."""

    verb: str
    by: str
    burst: int
    seconds: int
    text: str = "that was too much at once, try again in a moment"

    @property
    def lease(self) -> int:
        return max(1, self.burst // LEASE_SHARE)

    @property
    def smallest_lease(self) -> int:
        return max(1, self.burst // SMALLEST_LEASE_SHARE)

    @property
    def lease_seconds(self) -> float:
        return min(LEASE_SECONDS, self.seconds)


POSTING = Quota("messages", "user", 300, 15, "you are sending too fast, try again in a moment")
EDITING = Quota("edits", "user", 60, 30)
DELETING = Quota("deletions", "user", 120, 30)
REACTING = Quota("reactions", "user", 120, 30)
TYPING = Quota("typing signals", "user", 60, 10)
READING_ON = Quota("read marks", "user", 150, 10)
SEARCHING = Quota("searches", "user", 60, 60, "you are searching too fast, try again in a moment")
MAKING_ROOMS = Quota("rooms made", "user", 120, HOUR, "you have created many rooms in a short time, try again later")
MAKING_ROOMS_DAILY = Quota("rooms made in a day", "user", 300, DAY, "you have created many rooms today, go on tomorrow")
CLOSING_ROOMS = Quota("rooms closed", "user", 60, MINUTE)
OPENING_STREAMS = Quota("streams opened", "user", 300, MINUTE, "too many streams were opened, try again in a moment")
READING = Quota("pages and lists read", "user", 600, 30)
SIGNING_UP = Quota(
    "sign-ups", "address", 100, HOUR, "many people have signed up from where you are, try again in a while"
)
SESSIONS = Quota("sign-ins that succeed", "user", 100, 10 * MINUTE, "you have signed in very often, try again later")
WRONG_FROM_ADDRESS_FOR_NAME = Quota(
    "wrong passwords for a name", "name and address", 10, 180, "too many wrong passwords, try again later"
)
WRONG_FROM_ADDRESS = Quota(
    "wrong passwords", "address", 30, 180, "too many wrong passwords from where you are, try again later"
)
WRONG_FOR_NAME = Quota("wrong passwords for a name from anywhere", "name", 30, 180)
"""Once used up, it only slows each try for the name: no user may lock out another."""

TABLE: tuple[Quota, ...] = (
    POSTING,
    EDITING,
    DELETING,
    REACTING,
    TYPING,
    READING_ON,
    SEARCHING,
    MAKING_ROOMS,
    MAKING_ROOMS_DAILY,
    CLOSING_ROOMS,
    OPENING_STREAMS,
    READING,
    SIGNING_UP,
    SESSIONS,
    WRONG_FROM_ADDRESS_FOR_NAME,
    WRONG_FROM_ADDRESS,
    WRONG_FOR_NAME,
)


def counted_as(**by_method: Sequence[Quota]) -> Mapping[str, Sequence[Quota]]:
    """Returns the quotas of a handler by HTTP method. A GET with no quota of its own counts as reading."""
    return {"GET": [READING], **by_method}
