"""A log throttle, for a log that can be read in an outage: a record repeated a thousand times a second is written once,
with the count.

No error may fill a disk, whatever its level: neither one kind that repeats without end, nor ever new kinds.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from cachetools import LRUCache

EVERY_SECONDS = 5.0
"""Interval in which a kind gets through once, and to which LINES_IN_ALL applies."""

LINES_IN_ALL = 200
"""Records of all kinds together that get through in EVERY_SECONDS."""

KINDS_REMEMBERED = 1_000
KIND_CHARACTERS = 100
"""Characters of the text, before its arguments are put in, that identify its kind."""

_NUMBERS = re.compile(r"0x[0-9a-f]+|\d+")
"""Varying parts of texts that libraries format themselves: addresses, descriptors, counts."""


class Burst(NamedTuple):
    """Given with a record as `extra={"burst": …}`. `kind`: name of its kind; `lines`: how many pass at once."""

    kind: str
    lines: int


class Kind:
    """The records of one kind written and left out since `since` (seconds of the clock), and one of those left out."""

    __slots__ = ("left_out", "said", "sample", "since")

    def __init__(self, since: float) -> None:
        self.since = since
        self.said = 0
        self.left_out = 0
        self.sample: logging.LogRecord | None = None


class ThrottleRepeats(logging.Handler):
    """Hands the first record of a kind to another handler, then one every EVERY_SECONDS, with how many were left out.

    A kind is a logger, a level, the text before its arguments are put in, and for an exception its type and the place
    that raised it. Records left out are counted even if the kind never comes again: by a timer, after EVERY_SECONDS.
    """

    def __init__(self, target: logging.Handler, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._target = target
        self._clock = clock
        self._kinds: LRUCache[tuple[object, ...], Kind] = LRUCache(KINDS_REMEMBERED)
        # Records with a burst have a budget of their own, so that a crowd of these leaves room for errors.
        self._budgets = {False: Kind(clock()), True: Kind(clock())}
        self._timer: threading.Timer | None = None

    def setFormatter(self, fmt: logging.Formatter | None) -> None:
        self._target.setFormatter(fmt)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._emit(record)
        except Exception:  # a record whose arguments don't fit its text: reported as logging itself does
            self.handleError(record)

    def _emit(self, record: logging.LogRecord) -> None:
        """Writes or counts a record. Called under the handler's lock, in any thread."""
        now = self._clock()
        name, lines = _kind(record)
        kind = self._kinds.get(name)
        if kind is None:
            kind = self._remember(name, now)
        elif now - kind.since >= EVERY_SECONDS:
            kind.since, kind.said = now, 0
        budget = self._budgets[hasattr(record, "burst")]
        if now - budget.since >= EVERY_SECONDS:
            _say_rest(budget, self._target)
            budget.since, budget.said = now, 0
        if kind.said >= lines:
            kind.left_out += 1
            kind.sample = kind.sample or _light(record)
            self._look_again()
        elif budget.said >= LINES_IN_ALL:
            budget.left_out += 1
            self._look_again()
        else:
            kind.said += 1
            budget.said += 1
            left_out, kind.left_out, kind.sample = kind.left_out, 0, None
            self._target.handle(_with_count(record, left_out) if left_out else record)

    def say_what_was_left_out(self) -> None:
        """Writes a line for each kind with records left out whose time is over, and one for all others."""
        with self._locked():
            now = self._clock()
            for name, kind in list(self._kinds.items()):
                if kind.left_out and now - kind.since >= EVERY_SECONDS:
                    del self._kinds[name]
                    _say_rest(kind, self._target)
            for budget in self._budgets.values():
                if now - budget.since >= EVERY_SECONDS:
                    _say_rest(budget, self._target)
            if any(each.left_out for each in (*self._budgets.values(), *self._kinds.values())):
                self._look_again()

    def close(self) -> None:
        """Writes the remaining counts: at the end of the process nothing else would."""
        with self._locked():
            if self._timer is not None:
                self._timer.cancel()
            for each in (*self._kinds.values(), *self._budgets.values()):
                _say_rest(each, self._target)
            self._kinds.clear()
        self._target.close()
        super().close()

    def flush(self) -> None:
        self._target.flush()

    def _remember(self, name: tuple[object, ...], now: float) -> Kind:
        if len(self._kinds) >= KINDS_REMEMBERED:
            _, oldest = self._kinds.popitem()
            self._budgets[False].left_out += oldest.left_out
        kind = self._kinds[name] = Kind(now)
        return kind

    def _look_again(self) -> None:
        """Starts the timer, in a thread of its own: the event loop itself may be in trouble."""
        if self._timer is None or not self._timer.is_alive() or self._timer is threading.current_thread():
            self._timer = threading.Timer(EVERY_SECONDS, self.say_what_was_left_out)
            self._timer.daemon = True
            try:
                self._timer.start()
            except RuntimeError:  # no thread can be started now: the next record of the kind, or the end, says it
                self._timer = None

    def _locked(self) -> AbstractContextManager[Any]:
        assert self.lock is not None  # what logging.Handler makes in its __init__
        return self.lock


def _kind(record: logging.LogRecord) -> tuple[tuple[object, ...], int]:
    burst: Burst | None = getattr(record, "burst", None)
    if burst is not None:
        return (record.name, burst.kind), burst.lines
    text = _NUMBERS.sub("#", str(record.msg)[:KIND_CHARACTERS].partition("\n")[0])
    error: object = None
    place: object = None
    if isinstance(record.exc_info, tuple) and record.exc_info[1] is not None:
        error, _, traceback = record.exc_info
        while traceback is not None:
            place = traceback.tb_frame.f_code, traceback.tb_lineno
            traceback = traceback.tb_next
    return (record.name, record.levelno, text, error, place), 1


def _say_rest(kind: Kind, target: logging.Handler) -> None:
    left_out, sample = kind.left_out, kind.sample
    kind.left_out, kind.sample = 0, None
    if sample is not None:
        target.handle(_with_count(sample, left_out - 1) if left_out > 1 else sample)
    elif left_out:
        text = "%d more lines of many kinds were left out"
        target.handle(logging.LogRecord(__name__, logging.WARNING, __file__, 0, text, (left_out,), None))


def _light(record: logging.LogRecord) -> logging.LogRecord:
    """Returns a copy that keeps nothing alive: arguments and tracebacks hold requests, and all that these refer to."""
    text = record.getMessage()
    if isinstance(record.exc_info, tuple) and record.exc_info[1] is not None:
        text = f"{text} ({type(record.exc_info[1]).__name__}: {record.exc_info[1]})"
    return logging.LogRecord(record.name, record.levelno, record.pathname, record.lineno, "%s", (text,), None)


def _with_count(record: logging.LogRecord, left_out: int) -> logging.LogRecord:
    counted = logging.makeLogRecord(record.__dict__)
    counted.msg, counted.args = "%s (and %d more like it)", (record.getMessage(), left_out)
    return counted
