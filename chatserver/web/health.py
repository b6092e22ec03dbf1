"""Readiness of this process, for load balancers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from chatserver.errors import Unavailable
from chatserver.support import tasks
from chatserver.support.background import Background

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 2.0
"""A part that does not answer within this time is not ready."""


class Health:
    """Asks the stores of the chat. However many requests come at once, each store is asked once at a time."""

    def __init__(self, parts: dict[str, Callable[[], Awaitable[None]]], background: Background) -> None:
        self._parts = parts
        self._background = background
        self._questions: dict[str, asyncio.Task[bool]] = {}
        self.draining = False

    def failing(self) -> list[str]:
        """Returns the background parts of this process that fail again and again."""
        return self._background.failing()

    async def parts(self) -> dict[str, bool]:
        """Returns for each part if it answers."""
        questions = {name: self._ask(name) for name in self._parts}
        done, _ = await asyncio.wait(questions.values(), timeout=PATIENCE_SECONDS)
        return {name: question in done and question.result() for name, question in questions.items()}

    def _ask(self, name: str) -> asyncio.Task[bool]:
        question = self._questions.get(name)
        if question is None or question.done():
            question = self._questions[name] = asyncio.create_task(_answers(self._parts[name]))
        return question

    async def close(self) -> None:
        await tasks.stop(self._questions.values())


async def _answers(ping: Callable[[], Awaitable[None]]) -> bool:
    try:
        await ping()
    except Unavailable:
        return False
    except Exception:  # any error means that it is not ready
        log.exception("a store can't be asked")
        return False
    return True
