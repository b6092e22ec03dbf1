"""A formatting process: handles one message at a time, each within a bounded time of the processor.

    python -m chatserver.messages.formatting_worker <the parent's pid>

It reads requests from its standard input and writes answers to its standard output, each after its length. It ends when
its input ends, so with its parent, or when a message takes too long: then the system ends it, whatever it is doing
(`setitimer`). Signals for a whole group of processes are the parent's to act on.
"""

from __future__ import annotations

import os
import signal
import struct
import sys
from typing import BinaryIO

import msgspec

from chatserver.messages.formatting import Composed, Formatting
from chatserver.support.child_processes import end_with

CPU_SECONDS = 0.2
"""Processor time for one message. Human writing of 2,000 characters takes a twentieth of it."""

NICENESS = 10
"""If there are not enough cores for all, messages that need no formatting go first."""

LENGTH = struct.Struct("!I")
"""The length in bytes, before each request and answer."""


class Request(msgspec.Struct, frozen=True):
    """`spellings`: see `spellings.py`."""

    content: str
    spellings: dict[str, int]


class Answer(msgspec.Struct, frozen=True):
    """`error`: the reason of a failure; then the other fields are empty."""

    html: str | None = None
    mentions: tuple[int, ...] = ()
    error: str | None = None


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    end_with(int(sys.argv[1]))
    os.nice(NICENESS)
    requests, answers = os.fdopen(0, "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # the output of libraries is no answer
    formatting = Formatting()
    _write(answers, Answer())  # tells the parent that it is ready
    while (request := _read(requests)) is not None:
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        answer = _answer(formatting, request)
        signal.setitimer(signal.ITIMER_PROF, 0)
        _write(answers, answer)


def _answer(formatting: Formatting, request: Request) -> Answer:
    try:
        composed: Composed = formatting.format(request.content, request.spellings)
    except Exception as error:  # the worker goes on with the next
        return Answer(error=type(error).__name__)
    return Answer(composed.html, composed.mentions)


def _read(stream: BinaryIO) -> Request | None:
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    return msgspec.msgpack.decode(stream.read(*LENGTH.unpack(head)), type=Request)


def _write(stream: BinaryIO, answer: Answer) -> None:
    data = msgspec.msgpack.encode(answer)
    stream.write(LENGTH.pack(len(data)) + data)
    stream.flush()


if __name__ == "__main__":
    main()
