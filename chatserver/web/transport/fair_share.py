"""Fair shares: the part of a process's time that each user had lately, and the wait for more.

A bound on the number of requests does not make users equal: a page of 200 messages takes a hundred times as long as a
typing signal, and a refusal costs something too. So each request is charged with the time for which it blocked the
event loop. Debts are paid off evenly, at SHARE of the time that passes; a user who owes more than BURST_SECONDS waits
until that is paid off (a leaky bucket as a meter: ITU-T I.371; Turner 1986).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

SHARE = 0.1
"""Share of a process's time for one user in the long run. An open page takes less than a hundredth."""

BURST_SECONDS = 0.1
"""Time that may be used at once: some ten pages of a room."""

MODEST_SECONDS = 0.03
"""A user who owes less than this is an ordinary one: a page that is opened with all its requests."""

LONGEST_PAUSE_SECONDS = 3.0
"""Longest wait for earlier charges: debts beyond that are dropped."""

MOST_SECONDS = BURST_SECONDS + LONGEST_PAUSE_SECONDS * SHARE
"""The largest debt of a user."""

REQUEST_SECONDS = 0.001
"""Immediate charge of any request, for the part that is not measured: reading it, and the databases' work."""

MAX_DEBTS = 20_000
"""Debts that are kept at a time. The one charged longest ago is dropped first, and is mostly paid off."""


class FairShares:
    """`who`: a user, or the address of a signed-out client. `clock`: in seconds, never backwards."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._debts: dict[Hashable, tuple[float, float]] = {}
        """For each user: the seconds owed, and the time of the last charge, in the order of the latter."""

    def __len__(self) -> int:
        return len(self._debts)

    def charge(self, who: Hashable, seconds: float) -> None:
        now = self._clock()
        owed, since = self._debts.pop(who, (0.0, now))
        if len(self._debts) >= MAX_DEBTS:
            del self._debts[next(iter(self._debts))]
        self._debts[who] = min(MOST_SECONDS, max(0.0, owed - (now - since) * SHARE) + seconds), now

    def pause(self, who: Hashable) -> float:
        """Returns the seconds until they may go on; 0: now."""
        return max(0.0, (self._owed(who) - BURST_SECONDS) / SHARE)

    def is_modest(self, who: Hashable) -> bool:
        return self._owed(who) < MODEST_SECONDS

    def _owed(self, who: Hashable) -> float:
        owed, since = self._debts.get(who, (0.0, 0.0))
        return max(0.0, owed - (self._clock() - since) * SHARE) if owed else 0.0
