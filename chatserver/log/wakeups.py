"""Wake-ups: notices by Redis that a room has news, and messages between processes. All of them are hints, which may be
late, repeated or lost.

They have a connection of their own, since a subscribed connection can't do anything else.
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
from chatserver.log.keys import NEWS_IN_ARCHIVE, news_channel
from chatserver.model.cursor import Cursor
from chatserver.support.background import Background, BackgroundTask
from chatserver.support.redis_client import (
    connect,
    connection_errors_as_unavailable,
    redis_errors_as_unavailable,
    take_connection,
)

PROBE_SECONDS = 5.0
"""Silence after which the connection is probed. If the probe stays unanswered as long, the connection is dropped: a
hung server, or a demoted one that a firewall cut off, looks healthy to TCP."""

ACKNOWLEDGE_SECONDS = 5.0
"""How long to wait until Redis acknowledges a subscription."""

RECONNECT_SECONDS = (0.05, 0.5)

_ALWAYS = b"harbour:awake"
"""A channel without publishers: Redis answers PING differently while nothing is subscribed."""

MAX_SAID_BYTES = 256 * 1024
"""Largest publication that is read. Signals that go out together have a quarter of that."""

OnNews = Callable[[int, Cursor | None], None]
"""Called with the id of a room that has news, and the new event's id; None if the archive is to be read too."""

log = logging.getLogger(__name__)


class Wakeups:
    def __init__(self, url: str) -> None:
        self._client = connect(url, connections=1, answer_seconds=None)
        self._speaker = connect(url, connections=1)
        self._on_news: OnNews | None = None
        self._on_return: Callable[[], None] | None = None
        self._callbacks: dict[bytes, Callable[[bytes], None]] = {}
        self._rooms: dict[bytes, int] = {}
        self._acknowledged: dict[bytes, asyncio.Future[None]] = {}
        self._connection: Connection | None = None
        self._task: BackgroundTask | None = None

        self.is_subscribed = False
        """True while, as far as can be known, no publication is missed."""

    def subscribe(self, channel: str, callback: Callable[[bytes], None]) -> None:
        """Registers a callback for every publication on a channel. Call before `start`.

        Anything that reaches Redis can publish anything: the callback raises ValueError for data that it can't read,
        and these are dropped.
        """
        self._callbacks[channel.encode()] = callback

    def start(self, background: Background, on_news: OnNews, on_return: Callable[[], None]) -> None:
        """Calls `on_news` for each wake-up of a watched room, and `on_return` when some may have been missed."""
        self._on_news, self._on_return = on_news, on_return
        self._task = background.start("wake-ups", self._run)

    async def stop(self) -> None:
        if self._task is not None:
            await self._task.stop()
        await self._client.aclose(close_connection_pool=True)
        await self._speaker.aclose(close_connection_pool=True)

    async def publish(self, channel: str, data: str) -> None:
        """Publishes to all processes, this one too. Raises Unavailable."""
        with redis_errors_as_unavailable():
            await self._speaker.publish(channel, data)

    async def watch(self, room_id: int) -> None:
        """Subscribes to a room. Once this returns, every append causes a wake-up. Raises Unavailable."""
        channel = news_channel(room_id).encode()
        self._rooms[channel] = room_id
        acknowledged = self._acknowledged.setdefault(channel, asyncio.get_running_loop().create_future())
        try:
            await self._send("SUBSCRIBE", channel)
            await asyncio.wait_for(asyncio.shield(acknowledged), ACKNOWLEDGE_SECONDS)
        except BaseException as error:
            await self.forget(room_id)
            if isinstance(error, TimeoutError):
                raise Unavailable(because="the log is not available", retry_after=2) from None
            raise

    async def forget(self, room_id: int) -> None:
        channel = news_channel(room_id).encode()
        self._rooms.pop(channel, None)
        self._acknowledged.pop(channel, None)
        await self._send("UNSUBSCRIBE", channel)

    async def _send(self, command: str, channel: bytes) -> None:
        if self._connection is not None:
            # The reading task notices a broken connection; the next one subscribes to all rooms again.
            with contextlib.suppress(RedisError, OSError), connection_errors_as_unavailable():
                await self._connection.send_command(command, channel)

    async def _run(self) -> None:
        backoff = RECONNECT_SECONDS[0]
        while True:
            try:
                with connection_errors_as_unavailable():
                    await self._connect()
                    backoff = RECONNECT_SECONDS[0]
                    await self._listen()
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("wake-ups interrupted: %s", error)
            finally:
                await self._disconnect()
            await asyncio.sleep(random.uniform(0, backoff))
            backoff = min(backoff * 2, RECONNECT_SECONDS[1])

    async def _connect(self) -> None:
        self._connection = await take_connection(self._client)
        await self._connection.send_command("SUBSCRIBE", *self._callbacks, *self._rooms, _ALWAYS)

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
                self._on_message(message)
            probed = message is None

    def _on_message(self, message: list[bytes]) -> None:
        match message:
            case [b"message", channel, data] if channel in self._rooms or channel in self._callbacks:
                self._pass_on(channel, data)
            case [b"subscribe", channel, _] if channel in self._acknowledged:
                if not self._acknowledged[channel].done():
                    self._acknowledged[channel].set_result(None)
            case [b"subscribe", channel, _] if channel == _ALWAYS:
                assert self._on_return is not None
                self.is_subscribed = True
                self._on_return()

    def _pass_on(self, channel: bytes, data: bytes) -> None:
        """Calls the channel's callback. Its errors are logged, and later messages are still received."""
        try:
            if len(data) > MAX_SAID_BYTES:
                raise ValueError(f"{len(data)} bytes")
            if channel in self._callbacks:
                self._callbacks[channel](data)
            else:
                assert self._on_news is not None
                self._on_news(self._rooms[channel], _read_news(data))
        except ValueError as error:
            log.warning("something on %s can't be read: %.100s", channel.decode("ascii", "replace"), error)
        except Exception:
            log.exception("what was said on %s was heard in vain", channel.decode("ascii", "replace"))

    async def _disconnect(self) -> None:
        self.is_subscribed = False
        if self._connection is not None:
            connection, self._connection = self._connection, None
            with contextlib.suppress(RedisError, OSError):
                await connection.disconnect()
            await self._client.connection_pool.release(connection)


def _read_news(data: bytes) -> Cursor | None:
    """Raises ValueError."""
    return None if data == NEWS_IN_ARCHIVE else Cursor.parse(data.decode("ascii"))
