"""A crowd of readers of one room: a process with one loop, cheap enough to be a thousand.

Run with a JSON object as its argument (see `Wish`). It says what it saw as lines of JSON: one when all are in, one a
second; and into a file all of it at the end, which SIGTERM brings. Each reader comes back by its last id as an
EventSource does: after the time that `retry:` said, at a door that opens.
"""

from __future__ import annotations

import heapq
import json
import random
import re
import select
import signal
import socket
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec

from common.files_limit import allow_many_files
from strain.record import END, Record

SENT_AT = re.compile(rb'"content":"(\d+) ')
"""Messages begin with the time of their post, in nanoseconds of the monotonic clock."""

PASSING = re.compile(rb"event: (presence|read|rooms|typing)\n")
"""Signals that no log has, and no judge asks for."""

RETRY = re.compile(rb"retry: (\d+)")
FULL_SECONDS = 1.0
MAX_OPENINGS = 50
"""Connections that are begun in one turn, so that a crowd that comes back does not stop reading."""


class Wish(msgspec.Struct):
    """`upstream`: bytes that each reader sends on its open stream. `result`: where the last word is written."""

    ports: list[int]
    room: int
    cookie: str
    readers: int
    result: str
    upstream: int = 0
    pace: float = 0.0
    """Seconds between the first openings of two readers."""
    source: str = "127.0.0.1"
    """The address that they come from."""


class Reader:
    """One stream after the other."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self.place = 0
        self.retry = 1.0
        self.streams = 0
        self.events = 0
        self._raw = b""
        self._body = b""
        self._in_body = False
        self.socket: socket.socket | None = None

    def open(self) -> None:
        connection = socket.socket()
        connection.setblocking(False)
        ports = self._crowd.wish.ports
        port = random.choice(ports)
        try:
            connection.bind((self._crowd.wish.source, 0))
            connection.connect(("127.0.0.1", port))
        except BlockingIOError:
            pass
        except OSError:
            connection.close()
            self._crowd.later(self, 0.05)
            return
        self.socket, self._raw, self._body, self._in_body = connection, b"", b"", False
        self._crowd.watch(self, select.EPOLLOUT)

    def on_writable(self) -> None:
        assert self.socket is not None
        crowd, last = self._crowd, self._crowd.record.id_before(self.place)
        if self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.drop(after=0.05)  # nobody listens at this door: another one
            return
        head = (
            f"GET /chat/stream?room={crowd.wish.room}&after={last} HTTP/1.1\r\nHost: crowd\r\n"
            f"Cookie: {crowd.wish.cookie}\r\nAccept: text/event-stream\r\n\r\n"
        )
        self.socket.send(head.encode())
        crowd.rewatch(self, select.EPOLLIN)

    def on_readable(self) -> None:
        assert self.socket is not None
        try:
            data = self.socket.recv(262_144)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._crowd.torn += bool(self._body)
            self.drop(after=self.retry)
            return
        self._raw += data
        if not self._in_body and not self._read_head():
            return
        self._read_chunks()
        self._read_frames()

    def drop(self, after: float) -> None:
        assert self.socket is not None
        self._crowd.forget(self)
        self.socket.close()
        self.socket = None
        self._crowd.later(self, after)

    def _read_head(self) -> bool:
        head, found, rest = self._raw.partition(b"\r\n\r\n")
        if not found:
            return False
        status = head[9:12]
        if status != b"200":
            self._crowd.say(oddity=head[:60].decode(errors="replace"))
        self._raw, self._in_body = rest, True
        self.streams += 1
        self._crowd.opened(self)
        return True

    def _read_chunks(self) -> None:
        while True:
            line, found, rest = self._raw.partition(b"\r\n")
            if not found:
                return
            size = int(line, 16)
            if len(rest) < size + 2:
                return
            self._body += rest[:size]
            self._raw = rest[size + 2 :]

    def _read_frames(self) -> None:
        whole = self._body.rfind(END) + 2
        if whole < 2:
            return
        frames, self._body = self._body[:whole], self._body[whole:]
        if not frames.startswith(b"id: ") or b"\n\n:" in frames or b"\n\nretry" in frames or b"\n\nevent" in frames:
            frames = self._take_out_words(frames)
        if not frames:
            return
        place = self._crowd.record.advance(self.place, frames)
        if place is None:
            self._crowd.mismatch(self, frames)
            self.drop(after=self.retry)
            return
        self.place = place
        self._crowd.received(frames)

    def _take_out_words(self, frames: bytes) -> bytes:
        """Heartbeats, times to come back and the greeting are no events."""
        events = []
        for frame in frames.split(END)[:-1]:
            if match := RETRY.match(frame):
                self.retry = int(match[1]) / 1000
            elif frame.startswith(b"event: ") and not PASSING.match(frame):
                self._crowd.say(oddity=frame[:80].decode(errors="replace"))
            elif not frame.startswith((b":", b"event: ")):
                events.append(frame + END)
        return b"".join(events)


class Crowd:
    def __init__(self, wish: Wish) -> None:
        self.wish = wish
        self.record = Record()
        self.torn = 0
        self._mismatches: list[str] = []
        self._readers = [Reader(self) for _ in range(wish.readers)]
        self._due: list[tuple[float, int, Reader]] = []
        self._poll = select.epoll()
        self._watched: dict[int, Reader] = {}
        self._delays: list[float] = []
        self._openings: list[float] = []
        self._uploads: dict[Reader, int] = {}
        self._over = False

    def run(self) -> None:
        signal.signal(signal.SIGTERM, self._end)
        for number, reader in enumerate(self._readers):
            self.later(reader, number * self.wish.pace)
        told, next_word = False, time.monotonic() + 1
        while not self._over:
            self._open_those_that_are_due()
            for number, happened in self._poll.poll(0.02 if not self._uploads else 0):
                if (awaited := self._watched.get(number)) is not None:
                    awaited.on_writable() if happened & select.EPOLLOUT else awaited.on_readable()
            self._upload()
            if not told and all(reader.streams for reader in self._readers):
                told = True
                self.say(all_in=True)
            if time.monotonic() >= next_word:
                next_word += 1
                self.say(open=len(self._watched), at=self.record.id_before(len(self.record)))
        Path(self.wish.result).write_text(json.dumps(self._result()))

    def _result(self) -> dict[str, Any]:
        return {
            "events": self.record.events(),
            "behind": sum(reader.place < len(self.record) for reader in self._readers),
            "streams": sum(reader.streams for reader in self._readers),
            "torn": self.torn,
            "mismatches": self._mismatches,
            "delays": self._delays,
            "openings": self._openings,
        }

    # What readers ask for

    def later(self, reader: Reader, seconds: float) -> None:
        heapq.heappush(self._due, (time.monotonic() + seconds, id(reader), reader))

    def watch(self, reader: Reader, events: int) -> None:
        assert reader.socket is not None
        self._watched[reader.socket.fileno()] = reader
        self._poll.register(reader.socket, events)

    def rewatch(self, reader: Reader, events: int) -> None:
        assert reader.socket is not None
        self._poll.modify(reader.socket, events)

    def forget(self, reader: Reader) -> None:
        assert reader.socket is not None
        self._watched.pop(reader.socket.fileno(), None)
        self._poll.unregister(reader.socket)
        self._uploads.pop(reader, None)

    def opened(self, reader: Reader) -> None:
        self._openings.append(time.monotonic())
        if self.wish.upstream:
            self._uploads[reader] = self.wish.upstream

    def received(self, frames: bytes) -> None:
        """The delay of the newest of them, which is what its reader waited for."""
        sent_at = SENT_AT.search(frames, frames.rfind(b"id: "))
        if sent_at:
            self._delays.append((time.monotonic_ns() - int(sent_at[1])) / 1e9)

    def mismatch(self, reader: Reader, frames: bytes) -> None:
        self._mismatches.append(f"behind {self.record.id_before(reader.place)} came {frames[:200]!r}")

    def say(self, **word: Any) -> None:
        print(json.dumps(word), flush=True)

    def _open_those_that_are_due(self) -> None:
        for _ in range(MAX_OPENINGS):
            if not self._due or self._due[0][0] > time.monotonic():
                return
            heapq.heappop(self._due)[2].open()

    def _upload(self) -> None:
        for reader, left in list(self._uploads.items()):
            if left <= 0 or reader.socket is None:
                self._uploads.pop(reader)
                continue
            try:
                self._uploads[reader] -= reader.socket.send(b"x" * min(left, 65_536))
            except BlockingIOError:
                continue
            except OSError:
                self._uploads.pop(reader)

    def _end(self, _signal: int, _frame: FrameType | None) -> None:
        self._over = True


def main() -> None:
    allow_many_files()
    Crowd(msgspec.json.decode(sys.argv[1], type=Wish)).run()


if __name__ == "__main__":
    main()
