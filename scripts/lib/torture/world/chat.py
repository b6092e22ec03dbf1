"""The chat as it is, but that its background parts fail when it is told to: one at each SIGUSR2, in turn.

`python -m torture.world.chat` is run instead of `python -m chatserver`.
"""

from __future__ import annotations

import asyncio
import itertools
import signal
import sys
from collections.abc import Iterator

from chatserver import __main__ as chat
from chatserver import app
from chatserver.support import tasks
from chatserver.support.background import Background, BackgroundTask, Work


class Struck(Exception):
    """What a part raises that was told to fail."""


class FailingBackground(Background):
    def __init__(self) -> None:
        super().__init__()
        self._strikes: dict[str, asyncio.Event] = {}
        self._turns: Iterator[int] = itertools.count()
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, self._strike_next)

    def start(self, name: str, work: Work) -> BackgroundTask:
        strike = self._strikes[name] = asyncio.Event()
        return super().start(name, lambda: _until(strike, work))

    def _strike_next(self) -> None:
        names = list(self._strikes)
        self._strikes[names[next(self._turns) % len(names)]].set()


async def _until(strike: asyncio.Event, work: Work) -> None:
    working, struck = asyncio.ensure_future(work()), asyncio.ensure_future(strike.wait())
    try:
        await asyncio.wait({working, struck}, return_when=asyncio.FIRST_COMPLETED)
        if strike.is_set():
            strike.clear()
            raise Struck
        await working
    finally:
        await tasks.stop([working, struck])


if __name__ == "__main__":
    app.Background = FailingBackground  # type: ignore[attr-defined]  # the name by which the wiring has it
    sys.exit(chat.main())
