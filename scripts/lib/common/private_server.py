"""A server process of our own: started, stopped, killed or frozen at will; what mongod, redis-server and nginx have in
common.

It listens on a free loopback port or on a socket that is its owner's alone, keeps its data in one folder, and ends with
the process that started it. One process at a time owns the folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from common.process import STOP_SECONDS, Process
from common.waiting import blocked_until

START_SECONDS = 60.0
POLL_SECONDS = 0.05
PORT_ATTEMPTS = 5


class StartError(Exception):
    """One line: which server did not start, and what to do or where its log is."""


class PrivateServer:
    """Its port stays the same for life, through stops and starts."""

    name: str

    umask: int = -1
    """Of the process; -1: as ours."""

    def __init__(self, program: Path, folder: Path) -> None:
        self.folder = folder.resolve()
        self.port = 0
        self._program = program
        self._process: Process | None = None
        self._lock: IO[str] | None = None

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def forget(self) -> None:
        """Deletes the data, before a start. Raises StartError if another process is using them."""
        self._own_folder()
        shutil.rmtree(self.folder)
        self.folder.mkdir()

    def start(self) -> None:
        """Returns when it answers and is prepared. Raises StartError."""
        self._own_folder()
        attempts = 1 if self.port else PORT_ATTEMPTS
        for left in reversed(range(attempts)):
            self.port = self.port or free_port()
            self._launch()
            if self._await(self.answers):
                self.prepare()
                return
            if left and self._has_ended():
                self.port = 0  # somebody may have taken the port in the meantime
        self.kill()
        raise StartError(f"{self.name} did not start; {self.log} says why")

    def stop(self) -> None:
        """An orderly end, with the data on disk; others may use the folder then."""
        if self._process is not None:
            self._process.stop()
        if self._lock is not None:
            self._pid_file.unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def kill(self) -> None:
        """kill -9: nothing is written any more."""
        if self._process is not None:
            self._process.kill()

    def pause(self) -> None:
        """The process hangs: it answers nothing, and its connections stay open."""
        assert self._process is not None
        self._process.send(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send(signal.SIGCONT)

    def arguments(self) -> Sequence[str]:
        raise NotImplementedError

    def answers(self) -> bool:
        """Whether this very process answers: a stranger may have taken its port first."""
        raise NotImplementedError

    def prepare(self) -> None:
        """What is to be done when it answers for the first time."""

    def _launch(self) -> None:
        self._process = Process([self._program, *self.arguments()], log=self.log, umask=self.umask)
        self._pid_file.write_text(str(self._process.pid))

    def _await(self, condition: Callable[[], bool]) -> bool:
        """Polls until the condition holds. False if the process ended, or time is up."""
        came = blocked_until(lambda: self._has_ended() or condition(), START_SECONDS, poll=POLL_SECONDS)
        return came and not self._has_ended()

    def _has_ended(self) -> bool:
        return self._process is None or not self._process.runs

    @property
    def _pid_file(self) -> Path:
        return self.folder / f"{self.name}.pid"

    def _own_folder(self) -> None:
        """Makes the folder ours alone: refuses if a living run uses it, ends what a dead run left."""
        if self._lock is not None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        # Beside the folder, so that forgetting the data keeps it. The kernel lets go of it when its owner dies.
        lock = self.folder.with_name(f"{self.folder.name}.lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            owner = lock.read()
            lock.close()
            raise StartError(f"process {owner} is using {self.folder}: stop it first") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock
        self._end_leftover()

    def _end_leftover(self) -> None:
        """A server whose owner was killed hard may still be on its way out, or be frozen."""
        try:
            pid = int(self._pid_file.read_text())
        except (OSError, ValueError):
            return
        try:
            for signal_number in (signal.SIGTERM, signal.SIGKILL):
                if self._is_ours(pid):
                    os.kill(pid, signal_number)
                    os.kill(pid, signal.SIGCONT)
                blocked_until(lambda: not self._is_ours(pid), STOP_SECONDS, poll=POLL_SECONDS)
        except ProcessLookupError:
            return
        except PermissionError:
            raise StartError(f"process {pid} of somebody else is using {self.folder}: end it first") from None

    def _is_ours(self, pid: int) -> bool:
        """The number alone says nothing: it may belong to another process by now."""
        with contextlib.suppress(OSError):
            return str(self.folder).encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return False


class Listener(PrivateServer):
    """A server that is ready once it listens. It writes its configuration, if it needs one, in `arguments`."""

    def answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def free_port() -> int:
    """A loopback port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
