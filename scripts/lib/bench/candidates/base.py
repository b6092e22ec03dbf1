"""What a candidate is: a server that is started, given readers and posts, and ended."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import ClassVar, Protocol

from bench import cores, words
from bench.cores import Cores
from bench.tools import Tools
from common.private_server import Listener


class Missing(Exception):
    """One line: what is not on this machine, and how to get it."""


class Candidate(Protocol):
    """Rooms are counted from 0. Every start is a fresh process."""

    @property
    def name(self) -> str: ...

    @property
    def port(self) -> int: ...

    def running(self) -> contextlib.AbstractContextManager[None]:
        """Raises common.private_server.StartError."""

    def pids(self) -> list[int]:
        """The processes that serve; their children count too."""

    def stores(self) -> dict[str, int]:
        """The processes that it has others keep its data in, by name."""

    def stream(self, room: int, after: str | None = None) -> bytes:
        """The request of a reader who wants what comes from now on, or what is behind an id."""

    def stream_of(self, rooms: Iterable[int]) -> bytes:
        """The request of a reader who follows all of these rooms on one stream."""

    def post(self, room: int, frame_bytes: int = words.FRAME_BYTES) -> bytes:
        """The request of a poster, with the places for the time and the number."""


class Program(Listener):
    """A program that is ready once it listens."""

    def __init__(self, name: str, program: Path, folder: Path, arguments: Callable[[Path, int], list[str]]) -> None:
        super().__init__(program, folder)
        self.name = name
        self._arguments = arguments

    def arguments(self) -> list[str]:
        return self._arguments(self.folder, self.port)


class Peer:
    """A candidate that is one program and keeps nothing elsewhere. Raises Missing where there is no such program."""

    name: ClassVar[str]

    def __init__(self, folder: Path, tools: Tools, machine: Cores) -> None:
        self._tools = tools
        self._server = self._make_server(folder / self.name.replace(" ", "-"))
        self._machine = machine

    @property
    def port(self) -> int:
        return self._server.port

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        self._server.port = 0  # another one each time: the last one's may still be in use by what was left open
        try:
            with cores.on(self._machine.served):
                self._server.start()
            yield
        finally:
            self._server.stop()

    def pids(self) -> list[int]:
        return [self._server.pid]

    def stores(self) -> dict[str, int]:
        return {}

    def stream(self, room: int, after: str | None = None) -> bytes:
        headers = {"Accept": "text/event-stream"} | ({} if after is None else {"Last-Event-ID": after})
        return words.http_head("GET", f"/sub/{room}", headers)

    def stream_of(self, rooms: Iterable[int]) -> bytes:
        raise NotImplementedError

    def post(self, room: int, frame_bytes: int = words.FRAME_BYTES) -> bytes:
        return words.http_post(f"/pub/{room}", {"Content-Type": "text/plain"}, words.payload(frame_bytes))

    def _make_server(self, folder: Path) -> Listener:
        return Program(self.name, self._program(), folder, self._arguments)

    def _program(self) -> Path:
        raise NotImplementedError

    def _arguments(self, folder: Path, port: int) -> list[str]:
        """What the program is started with. Writes the files that it reads, if any."""
        raise NotImplementedError
