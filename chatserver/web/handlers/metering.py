"""How long a request keeps the event loop from everybody else: what its own coroutine takes between two awaits."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Generator
from types import coroutine
from typing import Any


@coroutine
def metered(work: Coroutine[Any, Any, None], spent: Callable[[float], None]) -> Generator[Any, Any, None]:
    """Awaits `work`, and says after each of its steps how many seconds that took.

    Tasks that it starts are not seen: what many wait for together (`group_commit.py`) is nobody's in particular.
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
