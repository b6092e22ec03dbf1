"""Where crowds are brought together: one mongod, one Redis, some chat processes, a room, and one who writes in it."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from chatserver.support.child_processes import die_with_parent
from desk import embedded
from desk.private_server import free_port
from torture.client import Person, request, sign_up
from torture.usage import Usage
from torture.waiting import until

ROOT = Path(__file__).resolve().parents[3]
READY_SECONDS = 30.0


class Chat:
    """One `python -m chatserver`."""

    def __init__(self, port: int, environment: dict[str, str], log: Path) -> None:
        self.port = port
        self._environment = {"PATH": os.environ["PATH"], "PORT": str(port), **environment}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 — a moment
                [sys.executable, "-m", "chatserver"],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(),
            )
        if not await until(self._is_ready, READY_SECONDS):
            raise TimeoutError(f"the chat did not become ready; {self._log} says why")

    async def stop(self) -> None:
        """SIGTERM, and all the time it takes."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(self._process.wait)

    def usage(self) -> Usage:
        assert self._process is not None
        usage = Usage.of(self._process.pid)
        assert usage is not None
        return usage

    async def _is_ready(self) -> bool:
        try:
            return (await request(self.port, "GET", "/readyz", seconds=5)).status == 200
        except (OSError, EOFError, TimeoutError):
            return False


class Stage:
    def __init__(
        self, folder: Path, mongod: embedded.Mongod, redis: embedded.RedisServer, drain: float, limits: bool
    ) -> None:
        self.folder = folder
        self._environment = {
            "MONGODB_URI": mongod.uri,
            "REDIS_URL": redis.url,
            "COOKIE_SECRET": secrets.token_hex(),
            "DRAIN_SECONDS": str(drain),
            "RATE_LIMITS": "on" if limits else "off",
            "MAX_STREAMS_PER_USER": "100" if limits else "15000",
        }
        self.chats: list[Chat] = []
        self.writer: Person

    @property
    def ports(self) -> list[int]:
        return [chat.port for chat in self.chats]

    async def add_chat(self) -> Chat:
        chat = Chat(free_port(), self._environment, self.folder / f"chat-{len(self.chats)}.log")
        self.chats.append(chat)
        await chat.start()
        return chat

    async def make_room(self) -> int:
        made = await request(
            self.ports[0], "POST", "/rooms", headers=self.writer.headers, body={"name": secrets.token_hex(8)}
        )
        return int(made.json()["id"])


@asynccontextmanager
async def stage(chats: int = 1, *, drain: float = 10.0, limits: bool = False) -> AsyncIterator[Stage]:
    """Everything is stopped and forgotten at the end. `limits`: whether everybody has the quotas of a deployed chat.

    Raises EmbeddedError, MissingProgram, TimeoutError.
    """
    folder = Path(tempfile.mkdtemp(prefix="strain-"))
    (ROOT / "var" / "programs").mkdir(parents=True, exist_ok=True)
    (folder / "programs").symlink_to(ROOT / "var" / "programs")
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        mongod = stack.enter_context(embedded.mongod(folder))
        redis = stack.enter_context(embedded.redis_server(folder, persistent=False))
        here = Stage(folder, mongod, redis, drain, limits)
        for _ in range(chats):
            stack.push_async_callback((await here.add_chat()).stop)
        here.writer = await sign_up(here.ports[0], "writer")
        yield here
