"""A private mongod and redis-server, for development and for tests. Never used by `python -m chatserver` itself."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pymongo
import redis
from pymongo.errors import OperationFailure, PyMongoError
from redis.backoff import NoBackoff
from redis.retry import Retry

from chatserver import programs
from chatserver.private_server import EmbeddedError, PrivateServer, free_port

__all__ = ["EmbeddedError", "Mongod", "RedisServer", "free_port", "mongod", "mongodb_address", "redis_server"]

VAR = Path(__file__).resolve().parent.parent / "var"

NO_ARCHIVE = 2
"""Exit status of a program that could not look."""

NOT_YET_INITIALIZED = 94

Server = TypeVar("Server", bound=PrivateServer)


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
        return self._ask(lambda admin: bool(admin.command("serverStatus")["pid"] == self.pid))

    def prepare(self) -> None:
        # Both are asked again until they succeed: for a moment after the start it does not know its own set yet.
        if not self._await(lambda: self._ask(self._found_or_move)) or not self._await(lambda: self._ask(_is_writable)):
            raise EmbeddedError(f"mongod did not become writable; {self.log} says why")

    def _found_or_move(self, admin: Any) -> bool:
        """Founds the replica set, or tells it that its only member has moved to another port."""
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
            *("--set-proc-title", "no"),  # or it would hide its folder, by which a later run knows it
        ]

    def answers(self) -> bool:
        client = redis.Redis(port=self.port, socket_timeout=1.0, protocol=2, retry=Retry(NoBackoff(), 0))
        try:
            return bool(client.info("server")["process_id"] == self.pid)
        except redis.RedisError:
            return False
        finally:
            client.close()


@contextlib.contextmanager
def mongod(var: Path, *, fresh: bool = False) -> Iterator[Mongod]:
    """A running mongod with its data in `var/mongodb`. Raises EmbeddedError, programs.MissingProgram."""
    with _running(Mongod(programs.find(programs.MONGOD, var / "programs"), var / "mongodb"), fresh) as server:
        yield server


@contextlib.contextmanager
def mongodb_address(var: Path = VAR) -> Iterator[str]:
    """What MONGODB_URI says; without it, the address of the MongoDB of scripts/server, started for the purpose. Where
    there is none the program ends, not with 1: that is what it says about an archive that it has seen."""
    uri = os.environ.get("MONGODB_URI")
    if uri:
        yield uri
        return
    try:
        with mongod(var) as server:
            yield server.uri
    except (EmbeddedError, programs.MissingProgram) as error:
        print(f"MONGODB_URI is missing, and no MongoDB can be started: {error}", file=sys.stderr)
        sys.exit(NO_ARCHIVE)


@contextlib.contextmanager
def redis_server(var: Path, *, persistent: bool, fresh: bool = False) -> Iterator[RedisServer]:
    """A running redis-server with its data in `var/redis`. Raises EmbeddedError, programs.MissingProgram."""
    program = programs.find(programs.REDIS, var / "programs")
    with _running(RedisServer(program, var / "redis", persistent=persistent), fresh) as server:
        yield server


@contextlib.contextmanager
def _running(server: Server, fresh: bool) -> Iterator[Server]:
    try:
        if fresh:
            server.forget()
        server.start()
        yield server
    finally:
        server.stop()


def _is_writable(admin: Any) -> bool:
    return bool(admin.command("hello")["isWritablePrimary"])
