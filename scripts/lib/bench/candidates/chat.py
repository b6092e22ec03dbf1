"""This chat as it is deployed: `python -m chatserver`, with a Redis and a mongod of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bench import cores, words
from bench.cores import Cores
from common.http_client import Person, Refused, request_now, sign_up
from common.paths import ROOT
from common.private_server import free_port
from common.server_process import ServerProcess, chat_environment
from desk import embedded, programs

SECRET = "for a benchmark on loopback, and for nothing else"


class Stores:
    """A mongod and a Redis that all chats of a run share."""

    def __init__(self, var: Path, folder: Path, machine: Cores) -> None:
        self._var = var
        self._folder = folder
        self._machine = machine

    @contextlib.contextmanager
    def running(self) -> Iterator[Stores]:
        """Raises MissingProgram, StartError."""
        programs_folder = self._var / "programs"
        self.mongod = embedded.Mongod(programs.find(programs.MONGOD, programs_folder), self._folder / "mongodb")
        self.redis = embedded.RedisServer(
            programs.find(programs.REDIS, programs_folder), self._folder / "redis", persistent=False
        )
        with contextlib.ExitStack() as stack:
            for server in (self.mongod, self.redis):
                stack.callback(server.stop)
                server.forget()
                with cores.on(self._machine.stores):
                    server.start()
            yield self


class Chat:
    """`processes`: how many serve, on whatever cores `machine` has for what is served. `source`: the checkout that is
    run; each has a database of its own, with this number, in MongoDB and in Redis."""

    name = "chat"

    def __init__(self, folder: Path, stores: Stores, machine: Cores, source: Path = ROOT, number: int = 0) -> None:
        self.processes = 1
        self._stores = stores
        self._machine = machine
        self._source = source
        self._number = number
        self._log = folder / f"chat{number}.log"
        self._server: ServerProcess
        self._person: Person | None = None
        """Who reads, and posts where it does not matter who."""
        self._rooms: list[int] = []
        self._people: list[Person] = []

    @property
    def port(self) -> int:
        return self._server.port

    @contextlib.contextmanager
    def running(self, *, rate_limits: bool = False) -> Iterator[None]:
        environment = self._environment(rate_limits) | {"WEB_CONCURRENCY": str(self.processes)}
        self._server = ServerProcess(free_port(), environment, folder=self._source, log=self._log)
        try:
            with cores.on(self._machine.served if self.processes == 1 else self._machine.everywhere()):
                self._server.start()
            if self._person is None:
                self._person = asyncio.run(sign_up(self.port, "b"))
                self.make_rooms(1)
            yield
        finally:
            self._server.stop()

    def _environment(self, rate_limits: bool) -> dict[str, str]:
        mongodb_uri = self._stores.mongod.uri.replace("/harbour?", f"/harbour{self._number}?")
        environment = chat_environment(mongodb_uri, f"{self._stores.redis.url}/{self._number}", SECRET)
        return environment | {"RATE_LIMITS": "on" if rate_limits else "off"}

    def pids(self) -> list[int]:
        return [self._server.process.pid]

    def stores(self) -> dict[str, int]:
        return {"Redis": self._stores.redis.pid, "mongod": self._stores.mongod.pid}

    def make_rooms(self, count: int) -> None:
        """So many there are afterwards. To be called while it is running."""
        for number in range(len(self._rooms), count):
            self._rooms.append(self.ask("POST", "/rooms", {"name": f"Room {number}"})["id"])

    def room_id(self, room: int) -> int:
        return self._rooms[room]

    def stream(self, room: int, after: str | None = None) -> bytes:
        headers = {"Accept": "text/event-stream", "Cookie": self.cookie()}
        path = f"/chat/stream?room={self._rooms[room]}"
        return words.http_head("GET", path, headers | ({} if after is None else {"Last-Event-ID": after}))

    def stream_of(self, rooms: Iterable[int]) -> bytes:
        """The request of a reader who follows all of these rooms."""
        wanted = "&".join(f"room={self._rooms[room]}" for room in rooms)
        headers = {"Accept": "text/event-stream", "Cookie": self.cookie()}
        return words.http_head("GET", f"/chat/stream?{wanted}", headers)

    def post(self, room: int, frame_bytes: int = words.FRAME_BYTES) -> bytes:
        id = self._rooms[room]
        return _post(self._who(), words.body(frame_bytes, id))

    def posts_of(self, people: int) -> list[bytes]:
        """A post of each of so many people in the first room. To be called while it is running, without limits."""
        for number in range(len(self._people), people):
            self._people.append(asyncio.run(sign_up(self.port, f"person {number}")))
        body = words.body(words.FRAME_BYTES, self._rooms[0])
        return [_post(person, body) for person in self._people[:people]]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = request_now(self.port, method, path, headers=self._who().headers, body=body)
        if answer.status >= 400:
            raise Refused(f"{method} {path}", answer)
        return answer.json()

    def cookie(self) -> str:
        """The header `Cookie` of who is signed in."""
        return self._who().cookie

    def _who(self) -> Person:
        assert self._person is not None, "it never ran"
        return self._person


def _post(person: Person, body: bytes) -> bytes:
    return words.http_post("/messages", person.headers | {"Content-Type": "application/json"}, body)
