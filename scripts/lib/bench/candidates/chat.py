"""This chat as it is deployed: `python -m chatserver`, with a Redis and a mongod of its own."""

from __future__ import annotations

import contextlib
import http.client
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bench import cores, words
from bench.cores import Cores
from desk import embedded, programs
from desk.private_server import PrivateServer

ROOT = Path(__file__).resolve().parents[4]
SECRET = "for a benchmark on loopback, and for nothing else"


class Stores:
    """A mongod and a Redis that all chats of a run share."""

    def __init__(self, var: Path, folder: Path, machine: Cores) -> None:
        self._var = var
        self._folder = folder
        self._machine = machine

    @contextlib.contextmanager
    def running(self) -> Iterator[Stores]:
        """Raises MissingProgram, EmbeddedError."""
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


class ChatServer(PrivateServer):
    name = "chat"

    def __init__(self, folder: Path, stores: Stores, source: Path, number: int) -> None:
        super().__init__(Path("/usr/bin/env"), folder)
        self._source = source
        self._mongodb_uri = stores.mongod.uri.replace("/harbour?", f"/harbour{number}?")
        self._redis_url = f"{stores.redis.url}/{number}"
        self.processes = 1
        self.rate_limits = False

    def arguments(self) -> list[str]:
        settings = {
            "MONGODB_URI": self._mongodb_uri,
            "REDIS_URL": self._redis_url,
            "COOKIE_SECRET": SECRET,
            "PORT": self.port,
            "WEB_CONCURRENCY": self.processes,
            "DRAIN_SECONDS": 0,
            "RATE_LIMITS": "on" if self.rate_limits else "off",
            "MAX_STREAMS_PER_USER": 15_000,
        }
        variables = [f"{name}={value}" for name, value in settings.items()]
        return [f"--chdir={self._source}", *variables, sys.executable, "-m", "chatserver"]

    def answers(self) -> bool:
        try:
            return request(self.port, "GET", "/readyz")[0] == 200
        except OSError:
            return False


class Chat:
    """`processes`: how many serve, on whatever cores `machine` has for what is served. `source`: the checkout that is
    run; each has a database of its own, with this number, in MongoDB and in Redis."""

    name = "chat"

    def __init__(self, folder: Path, stores: Stores, machine: Cores, source: Path = ROOT, number: int = 0) -> None:
        self.processes = 1
        self._stores = stores
        self._machine = machine
        self._server = ChatServer(folder / f"chat{number}", stores, source, number)
        self._rooms: list[int] = []
        self._cookies: dict[str, str] = {}
        self._people: list[dict[str, str]] = []
        """What they say of themselves in a request: headers."""

    @property
    def port(self) -> int:
        return self._server.port

    @contextlib.contextmanager
    def running(self, *, rate_limits: bool = False) -> Iterator[None]:
        self._server.port, self._server.processes = 0, self.processes
        self._server.rate_limits = rate_limits
        try:
            with cores.on(self._machine.served if self.processes == 1 else self._machine.everywhere()):
                self._server.start()
            if not self._cookies:
                self._sign_up()
            yield
        finally:
            self._server.stop()

    def pids(self) -> list[int]:
        return [self._server.pid]

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
        return words.http_post("/messages", self._headers(), words.body(frame_bytes, id))

    def posts_of(self, people: int) -> list[bytes]:
        """A post of each of so many people in the first room. To be called while it is running, without limits."""
        for number in range(len(self._people), people):
            self._people.append(self._someone(f"person {number}"))
        body = words.body(words.FRAME_BYTES, self._rooms[0])
        return [words.http_post("/messages", headers, body) for headers in self._people[:people]]

    def _someone(self, name: str) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        _, sent, _ = request(self.port, "POST", "/sign-up", headers, {"name": name, "password": "a good long one"})
        cookies = [value.partition(";")[0] for value in sent.get_all("Set-Cookie", [])]
        headers["Cookie"] = "; ".join(cookies)
        _, _, answer = request(self.port, "GET", "/csrf", headers)
        return headers | {"X-CSRF-Token": json.loads(answer)["csrf_token"]}

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        status, headers, content = request(self.port, method, path, self._headers(), body)
        if status >= 400:
            raise RuntimeError(f"{method} {path}: {status} {content[:200]!r}")
        for value in headers.get_all("Set-Cookie", []):
            name, _, rest = value.partition("=")
            self._cookies[name] = rest.partition(";")[0]
        return json.loads(content)

    def _sign_up(self) -> None:
        self._token = self.ask("GET", "/csrf")["csrf_token"]
        self.ask("POST", "/sign-up", {"name": "b", "password": "a good long one"})
        self.make_rooms(1)

    def _headers(self) -> dict[str, str]:
        if not self._cookies:
            return {}
        return {"Cookie": self.cookie(), "X-CSRF-Token": self._token, "Content-Type": "application/json"}

    def cookie(self) -> str:
        """The header `Cookie` of who is signed in."""
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())


def request(
    port: int, method: str, path: str, headers: dict[str, str] | None = None, body: Any = None
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()
