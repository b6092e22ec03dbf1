"""Connections to Redis, on the event loop that the server runs on."""

from __future__ import annotations

from typing import Any, cast

import pytest
import uvloop

from chatserver.errors import Unavailable
from chatserver.support.redis_client import connect, redis_errors_as_unavailable, take_connection
from tests.conftest import World


def test_writing_to_a_connection_that_was_closed_is_no_error_of_ours(world: World) -> None:
    async def write_to_closed() -> None:
        client = connect(world.redis.url, connections=1)
        connection = await take_connection(client)
        cast("Any", connection)._writer.transport.abort()
        try:
            with redis_errors_as_unavailable():
                for _ in range(2):
                    await connection.send_command("PING")
        finally:
            await client.aclose(close_connection_pool=True)

    with pytest.raises(Unavailable):
        uvloop.run(write_to_closed())
