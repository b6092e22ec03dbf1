"""The supervisor of several server processes on one port: starts them, replaces dead ones, stops them together.

Each worker is an ordinary `python -m chatserver` that listens with SO_REUSEPORT, so the kernel spreads the connections
and the workers share nothing. Nothing of the chat runs in the parent. If the parent is killed hard, the kernel tells
its workers to drain (`child_processes.die_with_parent`).
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from chatserver.settings import Settings
from chatserver.support.child_processes import die_with_parent

WORKER = "CHATSERVER_WORKER"
"""Marks a worker in its environment."""

BAD_SETTINGS = 2
"""Exit status of a process whose settings are wrong: a retry would not help."""

CANNOT_START = 3
"""Exit status of a process that found no port, MongoDB or Redis. The first workers end the whole with it, as one
process alone would; a later one is retried, because the others may be serving well on open connections."""

RESTART_SECONDS = (0.5, 10.0)
"""Pause before a dead worker is replaced; doubled while its successors die soon too."""

HEALTHY_SECONDS = 30.0
STOP_MARGIN_SECONDS = 5.0


def is_worker() -> bool:
    return WORKER in os.environ


def run(settings: Settings, arguments: Sequence[str]) -> int:
    """Runs the workers until SIGTERM or SIGINT. Returns the exit status."""
    problem = _port_problem(settings.host, settings.port)
    if problem:
        print(problem, file=sys.stderr)
        return BAD_SETTINGS
    return Supervisor(settings, arguments).run()


@dataclass
class WorkerSlot:
    """The slot of one worker, or of the next one from `due` on (monotonic seconds)."""

    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    due: float = 0.0
    backoff: float = 0.0

    @property
    def is_first(self) -> bool:
        return self.backoff == 0.0


class Supervisor:
    def __init__(self, settings: Settings, arguments: Sequence[str]) -> None:
        self._settings = settings
        self._command = [sys.executable, "-m", "chatserver", *arguments]
        self._slots = [WorkerSlot() for _ in range(settings.web_concurrency)]
        self._status = 0
        self._stopping = False
        self._woken, self._wake = os.pipe()

    def run(self) -> int:
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(self._wake)
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signal_number, self._told_to_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # only wakes
        while not self._stopping:
            for slot in self._slots:
                self._supervise(slot)
            self._sleep(self._until_next_due())
        self._stop_all()
        return self._status

    def _told_to_stop(self, *_: object) -> None:
        self._stopping = True

    def _supervise(self, slot: WorkerSlot) -> None:
        if self._stopping:
            return
        if slot.process is None:
            if slot.due <= time.monotonic():
                self._start_worker(slot)
        elif slot.process.poll() is not None:
            self._reap(slot, slot.process)

    def _start_worker(self, slot: WorkerSlot) -> None:
        slot.started = time.monotonic()
        slot.process = subprocess.Popen(
            self._command,
            env=os.environ | {WORKER: "1", "WEB_CONCURRENCY": "1"},
            start_new_session=True,  # Ctrl-C reaches only the parent, which passes it on once
            preexec_fn=die_with_parent(),
        )

    def _reap(self, slot: WorkerSlot, worker: subprocess.Popen[bytes]) -> None:
        """Plans the next worker of the slot, or the end of all."""
        slot.process = None
        if worker.returncode == BAD_SETTINGS or (worker.returncode == CANNOT_START and slot.is_first):
            self._status, self._stopping = worker.returncode, True
            return
        shortest, longest = RESTART_SECONDS
        now = time.monotonic()
        soon = now - slot.started < HEALTHY_SECONDS
        slot.backoff = min(slot.backoff * 2, longest) if soon and not slot.is_first else shortest
        slot.due = now + slot.backoff
        print(f"worker {worker.pid} ended ({worker.returncode}); another one follows", file=sys.stderr, flush=True)

    def _until_next_due(self) -> float | None:
        due = [slot.due for slot in self._slots if slot.process is None]
        return max(min(due) - time.monotonic(), 0.0) if due else None

    def _stop_all(self) -> None:
        """SIGTERM once, time to drain, then SIGKILL."""
        self._tell_all(signal.SIGTERM)
        self._wait_for_all(self._settings.drain_seconds + STOP_MARGIN_SECONDS)
        self._tell_all(signal.SIGKILL)
        self._wait_for_all(STOP_MARGIN_SECONDS)

    def _tell_all(self, signal_number: int) -> None:
        for slot in self._slots:
            if slot.process is not None:
                slot.process.send_signal(signal_number)  # no effect on a process that has ended

    def _wait_for_all(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while any(slot.process is not None and slot.process.poll() is None for slot in self._slots):
            left = deadline - time.monotonic()
            if left <= 0:
                return
            self._sleep(left)

    def _sleep(self, seconds: float | None) -> None:
        """Sleeps until a signal comes or the time is over. None: without a limit."""
        if select.select([self._woken], [], [], seconds)[0]:
            os.read(self._woken, 4096)


def _port_problem(host: str, port: int) -> str | None:
    """Returns the reason why workers could not listen there. With SO_REUSEPORT they would share the port with a
    stranger silently."""
    if port == 0:
        return "PORT is not right: several processes need one that is known, not 0"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return f"PORT {port} on HOST {host}: {error.strerror or error}"
    return None
