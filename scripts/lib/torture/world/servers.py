"""The processes of the world: chats that are kept running, a replica set, a Redis that remembers nothing."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pymongo
from pymongo.errors import PyMongoError

from common.paths import LIB
from common.private_server import PrivateServer, free_port
from common.server_process import ServerProcess
from common.waiting import until
from torture.world.clock import Clock

RESTART_SECONDS = 0.3


class ChatProcess(ServerProcess):
    """The chat (`torture.world.chat`), started again whenever it is not there, as a platform would."""

    log: Path

    def __init__(self, name: str, source: Path, log: Path, environment: dict[str, str], clock: Clock) -> None:
        of_clock = clock.environment()
        path = ":".join([str(LIB), *filter(None, [of_clock.get("PYTHONPATH")])])
        variables = environment | of_clock | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": path}
        command = (sys.executable, "-m", "torture.world.chat")
        super().__init__(free_port(), variables, command, folder=source, log=log)
        self.name = name
        self.clock = clock
        self.starts = 0
        self._held = asyncio.Event()
        self._held.set()
        self._keeper: asyncio.Task[None] | None = None

    def keep_running(self) -> None:
        self._keeper = asyncio.create_task(self._keep())

    async def end(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        await until(lambda: not self.runs, 10)
        self.send(signal.SIGKILL)

    def hold_down(self) -> None:
        """It is not started again until `let_up`."""
        self._held.clear()

    def let_up(self) -> None:
        self._held.set()

    async def ended(self) -> None:
        await until(lambda: not self.runs, float("inf"))

    async def answers(self) -> bool:
        """Whether it says that it is ready."""
        return await asyncio.to_thread(self.is_ready)

    async def _keep(self) -> None:
        while True:
            await self._held.wait()
            self.launch()
            self.starts += 1
            await self.ended()
            await asyncio.sleep(RESTART_SECONDS)


class MongoMember(PrivateServer):
    """One of three. The others and the clients know it by its proxy's port."""

    name = "mongod"

    def arguments(self) -> Sequence[str]:
        return [
            *("--dbpath", str(self.folder), "--port", str(self.port), "--bind_ip", "127.0.0.1"),
            *("--replSet", "rs0", "--oplogSize", "256", "--wiredTigerCacheSizeGB", "0.25", "--quiet"),
            *("--nounixsocket", "--setParameter", "diagnosticDataCollectionEnabled=false"),
        ]

    def answers(self) -> bool:
        return bool(self.ask("serverStatus").get("pid") == self.pid)

    def is_primary(self) -> bool:
        return bool(self.ask("hello").get("isWritablePrimary"))

    def ask(self, command: str, *arguments: Any, **options: Any) -> dict[str, Any]:
        """A command to this very member; {} when it does not answer or refuses."""
        client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
            "127.0.0.1", self.port, directConnection=True, serverSelectionTimeoutMS=1_000, socketTimeoutMS=5_000
        )
        try:
            return client.admin.command(command, *arguments, **options)
        except PyMongoError:
            return {}
        finally:
            client.close()
