"""A private mongod and redis-server, for development and for tests. Never used by `python -m chatserver` itself."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import pymongo
import redis
from pymongo.errors import OperationFailure, PyMongoError
from redis.backoff import NoBackoff
from redis.retry import Retry

from common.paths import VAR
from common.private_server import PrivateServer, StartError, free_port
from desk import programs
from desk.private_folders import NotPrivate, make_private, sockets_of

__all__ = ["Mongod", "RedisServer", "StartError", "free_port", "mongod", "mongodb_address", "redis_server"]

NO_ARCHIVE = 2
"""Exit status of a program that could not look."""

NOT_YET_INITIALIZED = 94

DEFAULT_PORT = 27017
"""MongoDB's; of a server that listens on a socket it is only a name."""

Server = TypeVar("Server", bound=PrivateServer)


class Mongod(PrivateServer):
    """A replica set of one member, so that majority writes, elections and retries are the real ones.

    `sockets`: the folder of the socket that it listens on; without one it listens on a loopback port, where every user
    of the machine may come in.
    """

    name = "mongod"
    umask = 0o077

    def __init__(self, program: Path, folder: Path, *, sockets: Path | None = None) -> None:
        super().__init__(program, folder)
        self._socket = None if sockets is None else sockets / "mongod.sock"
        if self._socket is not None:
            self.port = DEFAULT_PORT  # mongod knows itself by the socket and this number, and opens no port

    @property
    def uri(self) -> str:
        if self._socket is not None:
            return f"mongodb://{quote(str(self._socket), safe='')}/harbour?directConnection=true"
        return f"mongodb://127.0.0.1:{self.port}/harbour?replicaSet=rs0"

    def arguments(self) -> Sequence[str]:
        if self._socket is not None:
            where = ["--bind_ip", str(self._socket), "--filePermissions", "0700"]
        else:
            where = ["--bind_ip", "127.0.0.1", "--nounixsocket"]
        return [
            *("--dbpath", str(self.folder), "--port", str(self.port), *where),
            *("--replSet", "rs0", "--oplogSize", "256", "--wiredTigerCacheSizeGB", "0.25", "--quiet"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            # Before 6.0.27, zlib hands out what memory holds to whoever connects (CVE-2025-14847).
            *("--networkMessageCompressors", "disabled"),
        ]

    def answers(self) -> bool:
        return self._ask(lambda admin: bool(admin.command("serverStatus")["pid"] == self.pid))

    def prepare(self) -> None:
        # Both are asked again until they succeed: for a moment after the start it does not know its own set yet.
        if not self._await(lambda: self._ask(self._found_or_move)) or not self._await(lambda: self._ask(_is_writable)):
            raise StartError(f"mongod did not become writable; {self.log} says why")

    def _found_or_move(self, admin: Any) -> bool:
        """Founds the replica set, or tells it that its only member has moved."""
        member = f"127.0.0.1:{self.port}" if self._socket is None else str(self._socket)
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
        address = f"127.0.0.1:{self.port}" if self._socket is None else quote(str(self._socket), safe="")
        client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
            f"mongodb://{address}/", directConnection=True, serverSelectionTimeoutMS=1_000, socketTimeoutMS=5_000
        )
        try:
            return question(client.admin)
        except PyMongoError:
            return False
        finally:
            client.close()


class RedisServer(PrivateServer):
    """`persistent`: keeps its data over a restart. The chat does not need that: all it promises is in MongoDB.

    `sockets`: as for Mongod.
    """

    name = "redis-server"
    umask = 0o077

    def __init__(self, program: Path, folder: Path, *, persistent: bool, sockets: Path | None = None) -> None:
        super().__init__(program, folder)
        self._persistent = persistent
        self._socket = None if sockets is None else sockets / "redis.sock"
        if self._socket is not None:
            self.port = DEFAULT_PORT  # it needs none, so none is looked for

    @property
    def url(self) -> str:
        if self._socket is not None:
            return f"unix://{quote(str(self._socket))}?db=0"
        return f"redis://127.0.0.1:{self.port}/0"

    def arguments(self) -> Sequence[str]:
        if self._socket is not None:
            where = ["--port", "0", "--unixsocket", str(self._socket), "--unixsocketperm", "700"]
        else:
            where = ["--port", str(self.port), "--bind", "127.0.0.1"]
        return [
            *(*where, "--dir", str(self.folder)),
            *("--save", "", "--appendonly", "yes" if self._persistent else "no"),
            *("--set-proc-title", "no"),  # or it would hide its folder, by which a later run knows it
        ]

    def answers(self) -> bool:
        client = redis.Redis.from_url(self.url, socket_timeout=1.0, protocol=2, retry=Retry(NoBackoff(), 0))
        try:
            return bool(client.info("server")["process_id"] == self.pid)
        except redis.RedisError:
            return False
        finally:
            client.close()


@contextlib.contextmanager
def mongod(var: Path, *, fresh: bool = False, private: bool = False) -> Iterator[Mongod]:
    """A running mongod with its data in `var/mongodb`. `private`: reached by nobody but the user, and not by a port.

    Raises StartError, programs.MissingProgram.
    """
    sockets = _closed(var) if private else None
    program = programs.find(programs.MONGOD, var / "programs")
    with _running(Mongod(program, var / "mongodb", sockets=sockets), fresh) as server:
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
        with mongod(var, private=True) as server:
            yield server.uri
    except (StartError, programs.MissingProgram) as error:
        print(f"MONGODB_URI is missing, and no MongoDB can be started: {error}", file=sys.stderr)
        sys.exit(NO_ARCHIVE)


@contextlib.contextmanager
def redis_server(var: Path, *, persistent: bool, fresh: bool = False, private: bool = False) -> Iterator[RedisServer]:
    """A running redis-server with its data in `var/redis`. `private`, and what is raised: as for `mongod`."""
    sockets = _closed(var) if private else None
    program = programs.find(programs.REDIS, var / "programs")
    with _running(RedisServer(program, var / "redis", persistent=persistent, sockets=sockets), fresh) as server:
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


def _closed(var: Path) -> Path:
    """Closes `var` to all but its owner. Returns the folder for sockets. Raises StartError."""
    try:
        make_private(var)
        return sockets_of(var)
    except NotPrivate as error:
        raise StartError(str(error)) from None


def _is_writable(admin: Any) -> bool:
    return bool(admin.command("hello")["isWritablePrimary"])
