"""Requests in flight: a stopping server waits for them."""

from __future__ import annotations

import asyncio


class InFlight:
    def __init__(self) -> None:
        self._requests: set[object] = set()
        self._none = asyncio.Event()
        self._none.set()

    def __len__(self) -> int:
        return len(self._requests)

    def enter(self, request: object) -> None:
        self._requests.add(request)
        self._none.clear()

    def leave(self, request: object) -> None:
        """Ends a request. May be called twice: an answered request may lose its connection right after."""
        self._requests.discard(request)
        if not self._requests:
            self._none.set()

    async def none_left(self) -> None:
        await self._none.wait()
