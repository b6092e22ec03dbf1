"""What several of these tests need beside a chat."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tornado.ioloop import IOLoop

from chatserver.app import Chat
from chatserver.serving import make_server
from chatserver.web.http_server import ChatServer


@pytest.fixture
def server(io_loop: IOLoop, chat: Chat) -> Iterator[ChatServer]:
    """The chat's HTTP server, which does not listen yet."""
    server = make_server(chat.application)
    yield server
    server.stop()
    io_loop.run_sync(server.close_all_connections)
