"""Wake-ups: Redis says that a room has news. A hint: it may be late, repeated or lost.

One connection of its own, since a subscribed connection can't do anything else.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable

from redis.asyncio.connection import Connection
from redis.exceptions import RedisError

from chatserver.errors import Unavailable
from chatserver.log_scripts import NEWS_IN_ARCHIVE, news_channel
from chatserver.redis_link import connect, take_connection

PROBE_SECONDS = 5.0
"""Silence after which the connection is probed. When the probe stays unanswered as long, the connection is given up:
a hung server, or a demoted one that a firewall cut off, looks healthy to TCP."""

ACKNOWLEDGE_SECONDS = 5.0
"""How long to wait until Redis says that it will wake us up."""

BACKOFF_SECONDS = (0.05, 2.0)

_ALWAYS = "harbour:awake"
"""A channel nobody publishes to: Redis answers PING differently while nothing is subscribed."""

log = logging.getLogger(__name__)


class Wakeups:
    """Calls `on_news(room_id, in_archive)` for each wake-up, and `on_return()` when wake-ups may have been missed."""

    def __init__(self, url: str, on_news: Callable[[int, bool], None], on_return: Callable[[], None]) -> None:
        self._client = connect(url, connections=1, answer_seconds=None)
        self._on_news = on_news
        self._on_return = on_return
        self._rooms: dict[bytes, int] = {}
        self._acknowledged: dict[bytes, asyncio.Future[None]] = {}
        self._connection: Connection | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="wake-ups")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._client.aclose(close_connection_pool=True)

    async def watch(self, room_id: int) -> None:
        """Returns when Redis has acknowledged: every append from now on wakes us up. Raises Unavailable."""
        channel = news_channel(room_id).encode()
        self._rooms[channel] = room_id
        acknowledged = self._acknowledged.setdefault(channel, asyncio.get_running_loop().create_future())
        await self._tell("SUBSCRIBE", channel)
        try:
            await asyncio.wait_for(asyncio.shield(acknowledged), ACKNOWLEDGE_SECONDS)
        except TimeoutError:
            self._rooms.pop(channel, None)
            self._acknowledged.pop(channel, None)
            raise Unavailable("the log is not available right now, try again", retry_after=2) from None

    async def forget(self, room_id: int) -> None:
        channel = news_channel(room_id).encode()
        self._rooms.pop(channel, None)
        self._acknowledged.pop(channel, None)
        await self._tell("UNSUBSCRIBE", channel)

    async def _tell(self, command: str, channel: bytes) -> None:
        if self._connection is not None:
            # A broken connection is noticed by the one who reads it; the next one brings all rooms along.
            with contextlib.suppress(RedisError, OSError):
                await self._connection.send_command(command, channel)

    async def _run(self) -> None:
        backoff = BACKOFF_SECONDS[0]
        while True:
            try:
                await self._connect()
                backoff = BACKOFF_SECONDS[0]
                await self._listen()
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("wake-ups interrupted: %s", error)
            finally:
                await self._disconnect()
            await asyncio.sleep(random.uniform(0, backoff))
            backoff = min(backoff * 2, BACKOFF_SECONDS[1])

    async def _connect(self) -> None:
        self._connection = await take_connection(self._client)
        await self._connection.send_command("SUBSCRIBE", _ALWAYS, *self._rooms)

    async def _listen(self) -> None:
        assert self._connection is not None
        probed = False
        while True:
            message = await self._connection.read_response(timeout=PROBE_SECONDS)
            if message is None and probed:
                raise TimeoutError("Redis does not answer")
            if message is None:
                await self._connection.send_command("PING")
            else:
                self._hear(message)
            probed = message is None

    def _hear(self, message: list[bytes]) -> None:
        match message:
            case [b"message", channel, data] if channel in self._rooms:
                self._on_news(self._rooms[channel], data == NEWS_IN_ARCHIVE)
            case [b"subscribe", channel, _] if channel in self._acknowledged:
                if not self._acknowledged[channel].done():
                    self._acknowledged[channel].set_result(None)
            case [b"subscribe", channel, _] if channel == _ALWAYS.encode():
                self._on_return()

    async def _disconnect(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            with contextlib.suppress(RedisError, OSError):
                await connection.disconnect()
            await self._client.connection_pool.release(connection)
