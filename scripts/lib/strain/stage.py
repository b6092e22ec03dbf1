"""Where crowds are brought together: one mongod, one Redis, some chat processes, a room, and one who writes in it."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from common.http_client import Person, request, sign_up
from common.paths import PROGRAMS
from common.private_server import free_port
from common.server_process import ServerProcess, chat_environment
from common.usage import Usage
from desk import embedded


class Stage:
    def __init__(
        self, folder: Path, mongod: embedded.Mongod, redis: embedded.RedisServer, drain: float, limits: bool
    ) -> None:
        self.folder = folder
        self._environment = chat_environment(
            mongod.uri, redis.url, secrets.token_hex(), drain_seconds=drain, rate_limits=limits
        )
        self.chats: list[ServerProcess] = []
        self.writer: Person

    @property
    def ports(self) -> list[int]:
        return [chat.port for chat in self.chats]

    async def add_chat(self) -> ServerProcess:
        log = self.folder / f"chat-{len(self.chats)}.log"
        chat = ServerProcess(free_port(), self._environment, log=log)
        self.chats.append(chat)
        await start(chat)
        return chat

    async def make_room(self) -> int:
        made = await request(
            self.ports[0], "POST", "/rooms", headers=self.writer.headers, body={"name": secrets.token_hex(8)}
        )
        return int(made.json()["id"])


@asynccontextmanager
async def stage(chats: int = 1, *, drain: float = 10.0, limits: bool = False) -> AsyncIterator[Stage]:
    """Everything is stopped and forgotten at the end. `limits`: whether everybody has the quotas of a deployed chat.

    Raises StartError, MissingProgram.
    """
    folder = Path(tempfile.mkdtemp(prefix="strain-"))
    PROGRAMS.mkdir(parents=True, exist_ok=True)
    (folder / "programs").symlink_to(PROGRAMS)
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        mongod = stack.enter_context(embedded.mongod(folder))
        redis = stack.enter_context(embedded.redis_server(folder, persistent=False))
        here = Stage(folder, mongod, redis, drain, limits)
        for _ in range(chats):
            stack.push_async_callback(stop, await here.add_chat())
        here.writer = await sign_up(here.ports[0], "writer")
        yield here


async def start(chat: ServerProcess) -> None:
    """Returns when it is ready, and lets the others go on meanwhile. Raises StartError."""
    chat.launch()
    await asyncio.to_thread(chat.await_ready)


async def stop(chat: ServerProcess) -> None:
    """SIGTERM, and the time that it takes."""
    await asyncio.to_thread(chat.stop)


def held(chat: ServerProcess) -> Usage:
    """What a chat holds that runs."""
    usage = chat.usage()
    assert usage is not None
    return usage
