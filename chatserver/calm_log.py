"""A log that can be read in an outage: what is said a thousand times a second is said once, with how often."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable

EVERY_SECONDS = 5.0
"""How often the same kind of warning gets through."""


class Calm(logging.Filter):
    """Lets the first warning of a kind through, then one every EVERY_SECONDS, with the number of those left out.

    A kind is a logger and the text before its arguments are put in: there are as many as places in the code. Errors
    always get through.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._said_at: dict[tuple[str, str], float] = {}
        self._left_out: Counter[tuple[str, str]] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        kind = record.name, str(record.msg)
        now = self._clock()
        if record.levelno >= logging.ERROR:
            return True
        if now - self._said_at.get(kind, -EVERY_SECONDS) < EVERY_SECONDS:
            self._left_out[kind] += 1
            return False
        self._said_at[kind] = now
        if left_out := self._left_out.pop(kind, 0):
            record.msg, record.args = f"{record.getMessage()} (and {left_out} more like it)", None
        return True
