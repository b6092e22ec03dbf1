"""A private mongod and redis-server, for development and for tests. Never used by `python -m chatserver` itself.

They listen on free loopback ports, keep their data in one folder, and end with the process that started them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pymongo
import redis
from pymongo.errors import OperationFailure, PyMongoError

from chatserver import programs
from chatserver.processes import die_with_parent

START_SECONDS = 60.0
STOP_SECONDS = 30.0
POLL_SECONDS = 0.05
PORT_ATTEMPTS = 5

NOT_YET_INITIALIZED = 94


class EmbeddedError(Exception):
    """One line: which server did not start, and where its log is."""


class PrivateServer:
    """A server process of our own: started, stopped, killed or frozen at will. Its port stays the same for life."""

    name: str

    def __init__(self, program: Path, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Returns when it answers. Raises EmbeddedError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._end_leftover()
        for _ in range(1 if self.port else PORT_ATTEMPTS):
            self.port = self.port or free_port()
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    [self._program, *self.arguments()],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,  # Ctrl-C is for the chat, which stops its servers in order
                    preexec_fn=die_with_parent(),
                )
            self._pid_file.write_text(str(self._process.pid))
            if self._await(self.answers):
                self.prepare()
                return
            self.kill()
            self.port = 0
        raise EmbeddedError(f"{self.name} did not start; {self.log} says why")

    def stop(self) -> None:
        """An orderly end, with the data on disk."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        self._pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """kill -9: nothing is written any more."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def pause(self) -> None:
        """The process hangs: it answers nothing, and its connections stay open."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def arguments(self) -> Sequence[str]:
        raise NotImplementedError

    def answers(self) -> bool:
        raise NotImplementedError

    def prepare(self) -> None:
        """What is to be done when it answers for the first time."""

    def _await(self, condition: Callable[[], bool]) -> bool:
        """Polls until the condition holds. False if the process ended, or time is up."""
        deadline = time.monotonic() + START_SECONDS
        while self._process is not None and self._process.poll() is None and time.monotonic() < deadline:
            if condition():
                return True
            time.sleep(POLL_SECONDS)
        return False

    @property
    def _pid_file(self) -> Path:
        return self.folder / f"{self.name}.pid"

    def _end_leftover(self) -> None:
        """A server of an earlier run that was killed hard may still hold the data."""
        try:
            pid = int(self._pid_file.read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return
        if str(self.folder).encode() in command:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            deadline = time.monotonic() + STOP_SECONDS
            while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)


class Mongod(PrivateServer):
    """A replica set of one member, so that majority writes, elections and retries are the real ones."""

    name = "mongod"

    @property
    def uri(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}/harbour?replicaSet=rs0"

    def arguments(self) -> Sequence[str]:
        return [
            *("--dbpath", str(self.folder), "--port", str(self.port), "--bind_ip", "127.0.0.1"),
            *("--replSet", "rs0", "--oplogSize", "256", "--wiredTigerCacheSizeGB", "0.25", "--quiet"),
            *("--nounixsocket", "--setParameter", "diagnosticDataCollectionEnabled=false"),
        ]

    def answers(self) -> bool:
        return self._ask(lambda admin: bool(admin.command("ping")))

    def prepare(self) -> None:
        """Founds the replica set, or tells it that its only member has moved to another port."""
        self._ask(self._found_or_move)
        if not self._await(lambda: self._ask(lambda admin: bool(admin.command("hello")["isWritablePrimary"]))):
            raise EmbeddedError(f"mongod did not become writable; {self.log} says why")

    def _found_or_move(self, admin: Any) -> bool:
        member = f"127.0.0.1:{self.port}"
        try:
            config = admin.command("replSetGetConfig")["config"]
        except OperationFailure as error:
            if error.code != NOT_YET_INITIALIZED:
                raise
            admin.command("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": member}]})
            return True
        if config["members"][0]["host"] != member:
            config["members"][0]["host"] = member
            config["version"] += 1
            admin.command("replSetReconfig", config, force=True)
        return True

    def _ask(self, question: Callable[[Any], bool]) -> bool:
        client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
            "127.0.0.1", self.port, directConnection=True, serverSelectionTimeoutMS=1_000, socketTimeoutMS=5_000
        )
        try:
            return question(client.admin)
        except PyMongoError:
            return False
        finally:
            client.close()


class RedisServer(PrivateServer):
    """`persistent`: keeps its data over a restart. The chat does not need that: all it promises is in MongoDB."""

    name = "redis-server"

    def __init__(self, program: Path, folder: Path, *, persistent: bool) -> None:
        super().__init__(program, folder)
        self._persistent = persistent

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def arguments(self) -> Sequence[str]:
        return [
            *("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)),
            *("--save", "", "--appendonly", "yes" if self._persistent else "no"),
        ]

    def answers(self) -> bool:
        client = redis.Redis(port=self.port, socket_timeout=1.0)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()


@contextlib.contextmanager
def mongod(var: Path) -> Iterator[Mongod]:
    """A running mongod with its data in `var/mongodb`. Raises EmbeddedError, programs.MissingProgram."""
    with _running(Mongod(programs.find(programs.MONGOD, var / "programs"), var / "mongodb")) as server:
        yield server


@contextlib.contextmanager
def redis_server(var: Path, *, persistent: bool) -> Iterator[RedisServer]:
    """A running redis-server with its data in `var/redis`. Raises EmbeddedError, programs.MissingProgram."""
    program = programs.find(programs.REDIS, var / "programs")
    with _running(RedisServer(program, var / "redis", persistent=persistent)) as server:
        yield server


@contextlib.contextmanager
def _running(server: Any) -> Iterator[Any]:
    try:
        server.start()
        yield server
    finally:
        server.stop()


def free_port() -> int:
    """A loopback port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
