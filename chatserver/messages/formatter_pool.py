"""Formatters: format any content in bounded time.

A short text without code is formatted at once: that takes a few milliseconds. All others go to a few processes
(`formatting_worker.py`) that are killed when a message takes too long. Such a message, and one that finds too many
waiting, is shown as it was written; its mentions are kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from chatserver.messages.formatting import Composed, Formatting, only_mentions
from chatserver.messages.formatting_worker import LENGTH, Answer, Request
from chatserver.messages.spellings import Spellings

WORKERS = 2
"""Processes, each started when it is first needed (about 25 MB)."""

SHORT_CHARACTERS = 300
"""Characters of a text that is formatted at once. Quadratic work is still small there."""

DEADLINE_SECONDS = 2.0
"""Time limit of one message. Its processor time is bounded more tightly; this is for a machine that stands still."""

START_SECONDS = 10.0
"""Time until a new process can take its first message."""

MAX_WAITING_TEXTS = 16
WAIT_SECONDS = 10.0
"""Messages that may wait for a process, and how long: also until the first ones have started."""

PROGRAM = ("-m", "chatserver.messages.formatting_worker")

_ROOT = Path(__file__).resolve().parents[2]

log = logging.getLogger(__name__)


class _Failed(Exception):
    """The reason why a message was not formatted."""


class Formatters:
    def __init__(self, program: Sequence[str] = PROGRAM) -> None:
        """`program`: the command of the processes, as arguments for Python."""
        self._formatting = Formatting()
        self._program = program
        self._free = asyncio.Semaphore(WORKERS)
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._waiting = 0

    async def format(self, content: str, spellings: Spellings) -> Composed:
        """Returns the HTML and mentions. Never fails. `spellings`: the users that the content mentions."""
        try:
            if _is_cheap(content):
                return self._formatting.format(content, spellings)
            return await self._in_a_worker(content, spellings)
        except _Failed as reason:
            log.warning("a message of %d characters is shown as it was written: %s", len(content), reason)
        except Exception:
            log.exception("a message of %d characters can't be formatted", len(content))
        return only_mentions(content, spellings)

    async def close(self) -> None:
        """Ends the processes. Messages that wait for one become plain text."""
        await asyncio.gather(*(worker.end() for worker in list(self._all)))

    async def _in_a_worker(self, content: str, spellings: Spellings) -> Composed:
        await self._turn()
        try:
            worker = await self._idle_worker() or await self._start()
            try:
                answer = await worker.ask(Request(content, dict(spellings)))
            except BaseException:
                await self._end(worker)
                raise
            self._idle.append(worker)
        finally:
            self._free.release()
        if answer.error is not None:
            raise _Failed(answer.error)
        return Composed(answer.html, answer.mentions)

    async def _idle_worker(self) -> _Worker | None:
        """Returns one that runs. A process may have been killed while it had nothing to do."""
        while self._idle:
            worker = self._idle.pop()
            if worker.runs:
                return worker
            await self._end(worker)
        return None

    async def _turn(self) -> None:
        if self._waiting >= MAX_WAITING_TEXTS:
            raise _Failed("too many are waiting")
        self._waiting += 1
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._free.acquire()
        except TimeoutError:
            raise _Failed("it had to wait for too long") from None
        finally:
            self._waiting -= 1

    async def _start(self) -> _Worker:
        worker = await _Worker.start(self._program)
        self._all.add(worker)
        try:
            await worker.ready()
        except BaseException:
            await self._end(worker)
            raise
        return worker

    async def _end(self, worker: _Worker) -> None:
        self._all.discard(worker)
        await worker.end()


class _Worker:
    """A process that formats. After any error it is useless."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._requests = process.stdin
        self._answers = process.stdout

    @classmethod
    async def start(cls, program: Sequence[str]) -> _Worker:
        """Raises _Failed."""
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *program,
                str(os.getpid()),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                cwd=_ROOT,
            )
        except OSError as error:
            raise _Failed(f"no process can be started ({error.strerror})") from error
        return cls(process)

    @property
    def runs(self) -> bool:
        return self._process.returncode is None and not self._requests.is_closing()

    async def ready(self) -> None:
        """Returns when it can take its first message. Raises _Failed."""
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._answer()
        except TimeoutError:
            raise _Failed("a new process was not ready in time") from None

    async def ask(self, request: Request) -> Answer:
        """Raises _Failed."""
        data = msgspec.msgpack.encode(request)
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                self._requests.write(LENGTH.pack(len(data)) + data)
                await self._requests.drain()
                return await self._answer()
        except (TimeoutError, OSError):
            raise _Failed("it takes too long") from None

    async def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._requests.close()
        await self._process.wait()

    async def _answer(self) -> Answer:
        try:
            (length,) = LENGTH.unpack(await self._answers.readexactly(LENGTH.size))
            return msgspec.msgpack.decode(await self._answers.readexactly(length), type=Answer)
        except asyncio.IncompleteReadError:
            raise _Failed("it takes too long") from None


def _is_cheap(content: str) -> bool:
    """Returns False for code: colouring it runs lexers by many authors."""
    return len(content) <= SHORT_CHARACTERS and "```" not in content and "~~~" not in content
