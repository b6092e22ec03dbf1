"""Connections to Redis, with every harmful default set explicitly.

redis-py 8 retries a command ten times by itself and gives up on a reply after five seconds. A retried append is
harmless here (its client id makes it so), but a retry hides that the server on the other side may be another one than
before. So nothing is retried here; callers decide.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import Connection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, RedisError

from chatserver.errors import Unavailable

ANSWER_SECONDS = 5.0
"""How long a reply may take. A hung server is noticed after this time."""

CONNECT_SECONDS = 2.0


def connect(
    url: str,
    *,
    connections: int,
    on_connect: Callable[[Connection], Awaitable[None]] | None = None,
    answer_seconds: float | None = ANSWER_SECONDS,
) -> Redis:
    """Returns a client with a bounded pool: a caller that finds it empty waits up to ANSWER_SECONDS for a connection.

    `on_connect` runs on each new connection before its first command. `rediss://` verifies the certificate, unless the
    address says otherwise (redis_trust.py).
    """
    options: dict[str, Any] = {
        "max_connections": connections,
        "timeout": ANSWER_SECONDS,
        "socket_timeout": answer_seconds,
        "socket_connect_timeout": CONNECT_SECONDS,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
    }
    if not url.startswith("unix:"):
        options["socket_keepalive"] = True
    if on_connect is not None:
        hook = on_connect

        async def connected(connection: Connection) -> None:
            await connection.on_connect()
            await hook(connection)

        options["redis_connect_func"] = connected
    return Redis.from_pool(BlockingConnectionPool.from_url(url, **options))


async def take_connection(client: Redis) -> Connection:
    """Returns a connection of the client's pool, connecting it if necessary. Return it with the pool's `release`."""
    pool = cast("Any", client.connection_pool)
    return cast("Connection", await pool.get_connection())


@contextmanager
def redis_errors_as_unavailable() -> Iterator[None]:
    """Turns all errors of redis-py into Unavailable: nothing that a client sends makes Redis fail."""
    try:
        with connection_errors_as_unavailable():
            yield
    except (RedisError, OSError, TimeoutError) as error:
        raise Unavailable(because="the log is not available", retry_after=2) from error


@contextmanager
def connection_errors_as_unavailable() -> Iterator[None]:
    """Turns uvloop's RuntimeError for writing to a connection that the other side has closed into the ConnectionError
    that redis-py and its callers expect. For asyncio such a write is no error at all."""
    try:
        yield
    except RuntimeError as error:
        if "handler is closed" not in str(error):
            raise
        raise ConnectionError("the connection was closed") from error
