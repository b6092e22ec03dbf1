"""A waiting line: in the order in which they came, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Each = TypeVar("Each", bound=Hashable)


class WaitingLine(Generic[Each]):
    """`too_late` gets each one that is taken out because it has waited for `seconds`. All share one timer."""

    def __init__(self, seconds: float, too_late: Callable[[Each], None]) -> None:
        self._seconds = seconds
        self._too_late = too_late
        self._since: OrderedDict[Each, float] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._since)

    def __contains__(self, each: Each) -> bool:
        return each in self._since

    @property
    def oldest(self) -> float | None:
        """The time, in seconds of the loop's clock, since which the first one has waited."""
        return next(iter(self._since.values()), None)

    def add(self, each: Each) -> None:
        loop = asyncio.get_running_loop()
        self._since[each] = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._look)

    def discard(self, each: Each) -> bool:
        """Returns False if it was not here."""
        if self._since.pop(each, None) is None:
            return False
        if not self._since:
            self._since.clear()  # gives the table of a large crowd back
        return True

    def pop_oldest(self) -> Each:
        """Takes out the one that has waited longest. The line must not be empty."""
        each = next(iter(self._since))
        self.discard(each)
        return each

    def _look(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        due = loop.time() - self._seconds
        while (oldest := self.oldest) is not None and oldest <= due:
            self._too_late(self.pop_oldest())
        if oldest is not None:
            self._timer = loop.call_at(oldest + self._seconds, self._look)
