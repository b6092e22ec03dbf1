"""How much of a process's time each user had lately, and how long they have to wait for more.

A bound on the number of requests does not make users equal: a page of 200 messages takes a hundred times as long as a
typing signal, and a refusal costs something too. So each request is charged with the time that it kept the event loop
from everybody else. What was charged is paid off evenly, at SHARE of the time that passes; who owes more than
BURST_SECONDS waits until it is paid off (a leaky bucket as a meter: ITU-T I.371; Turner 1986).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

SHARE = 0.1
"""Of a process's time, what one user may have of it in the long run. An open page takes less than a hundredth."""

BURST_SECONDS = 0.1
"""What may be had at once: some ten pages of a room."""

MODEST_SECONDS = 0.03
"""Who owes less than this is an ordinary user: a page that is opened with all that it asks."""

LONGEST_PAUSE_SECONDS = 3.0
"""Nobody waits longer than this for what was charged: what is more is let go."""

MOST_SECONDS = BURST_SECONDS + LONGEST_PAUSE_SECONDS * SHARE
"""That anybody owes."""

REQUEST_SECONDS = 0.001
"""What any request is charged with at once, for the part that is not measured: reading it, and the databases' work."""

REMEMBERED = 20_000
"""Users whose debts are known at a time. Who was charged longest ago is forgotten first, and mostly owes nothing."""


class FairShares:
    """`who`: a user, or the address of somebody who is signed out. `clock`: in seconds, never backwards."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._debts: dict[Hashable, tuple[float, float]] = {}
        """Of each: seconds owed, and when that was reckoned. In the order of the latter."""

    def __len__(self) -> int:
        return len(self._debts)

    def charge(self, who: Hashable, seconds: float) -> None:
        now = self._clock()
        owed, since = self._debts.pop(who, (0.0, now))
        if len(self._debts) >= REMEMBERED:
            del self._debts[next(iter(self._debts))]
        self._debts[who] = min(MOST_SECONDS, max(0.0, owed - (now - since) * SHARE) + seconds), now

    def pause(self, who: Hashable) -> float:
        """In how many seconds they may go on; 0: now."""
        return max(0.0, (self._owed(who) - BURST_SECONDS) / SHARE)

    def is_modest(self, who: Hashable) -> bool:
        return self._owed(who) < MODEST_SECONDS

    def _owed(self, who: Hashable) -> float:
        owed, since = self._debts.get(who, (0.0, 0.0))
        return max(0.0, owed - (self._clock() - since) * SHARE) if owed else 0.0
