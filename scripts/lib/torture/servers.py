"""The processes of the world: chats that are kept running, a replica set, a Redis that remembers nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pymongo
from pymongo.errors import PyMongoError

from chatserver.support.child_processes import die_with_parent
from desk.private_server import PrivateServer, free_port
from torture.client import request
from torture.clock import Clock
from torture.usage import Usage
from torture.waiting import until

SCRIPTS = Path(__file__).resolve().parent.parent


class ChatProcess:
    """The chat (`torture.chat`), started again whenever it is not there, as a platform would."""

    def __init__(self, name: str, source: Path, log: Path, environment: dict[str, str], clock: Clock) -> None:
        self.name = name
        self.port = free_port()
        self.log = log
        self.clock = clock
        self.starts = 0
        self._source = source
        of_clock = clock.environment()
        path = ":".join([str(SCRIPTS), *filter(None, [of_clock.get("PYTHONPATH")])])
        self._environment = environment | of_clock
        self._environment |= {"PORT": str(self.port), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": path}
        self._process: subprocess.Popen[bytes] | None = None
        self._held = asyncio.Event()
        self._held.set()
        self._keeper: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        await until(lambda: not self.runs(), 10)
        self.send(signal.SIGKILL)

    def hold_down(self) -> None:
        """It is not started again until `let_up`."""
        self._held.clear()

    def let_up(self) -> None:
        self._held.set()

    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    async def ended(self) -> None:
        await until(lambda: not self.runs(), float("inf"))

    async def is_ready(self) -> bool:
        try:
            return (await request(self.port, "GET", "/readyz", seconds=5)).status == 200
        except (OSError, EOFError, TimeoutError):
            return False

    def usage(self) -> Usage | None:
        """None while it does not run."""
        return Usage.of(self._process.pid) if self._process is not None and self.runs() else None

    async def _keep(self) -> None:
        while True:
            await self._held.wait()
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(  # noqa: ASYNC220 — a moment
                    [sys.executable, "-m", "torture.chat"],
                    cwd=self._source,
                    env={"PATH": os.environ["PATH"], **self._environment},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    preexec_fn=die_with_parent(),
                )
            self.starts += 1
            await self.ended()
            await asyncio.sleep(0.3)


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
