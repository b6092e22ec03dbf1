"""Chats of this process, without what is dear about a start and protects nothing here: hashes of real passwords, and
scripts and sheets that are read, joined and compressed each time."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from tornado.testing import bind_unused_port

from chatserver import app
from chatserver.app import Chat
from chatserver.serving import make_server
from chatserver.settings import Settings
from chatserver.web.application import ChatApplication
from chatserver.web.page_files import find_page_files
from chatserver.web.static_files import StaticFiles
from tests.helpers.passwords import CHEAP


@functools.cache
def static_files() -> StaticFiles:
    """Those of the pages. They stay as they are during a run."""
    return StaticFiles(find_page_files().static)


def running(settings: Settings) -> AbstractAsyncContextManager[Chat]:
    """`chatserver.app.running`. Raises what it raises."""
    return app.running(settings, hasher=CHEAP, static_files=static_files())


@asynccontextmanager
async def listening(application: ChatApplication) -> AsyncIterator[str]:
    """Where it listens: a loopback address."""
    listener, port = bind_unused_port()
    server = make_server(application)
    server.add_socket(listener)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop()
        await server.close_all_connections()
