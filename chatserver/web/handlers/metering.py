"""Metering: the time for which a request blocks the event loop, between two awaits of its own coroutine."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Generator
from types import coroutine
from typing import Any


@coroutine
def metered(work: Coroutine[Any, Any, None], spent: Callable[[float], None]) -> Generator[Any, Any, None]:
    """Awaits `work`, and calls `spent` after each of its steps with the seconds that it took.

    Tasks that it starts are not measured: work shared by many requests (`group_commit.py`) belongs to no single one.
    """
    error: BaseException | None = None
    try:
        while True:
            began = time.perf_counter()
            try:
                awaited = work.send(None) if error is None else work.throw(error)
            except StopIteration:
                return
            finally:
                error = None
                spent(time.perf_counter() - began)
            try:
                yield awaited
            except GeneratorExit:
                raise
            except BaseException as raised:  # a CancelledError too: it is the work's to handle
                error = raised
    finally:
        work.close()
