"""Several server processes on one port: starts them, replaces those that die, stops them together.

Each worker is an ordinary `python -m chatserver` that listens with SO_REUSEPORT, so the kernel spreads the connections
and the workers share nothing. Nothing of the chat runs in the parent.
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

from chatserver.processes import die_with_parent
from chatserver.settings import Settings

WORKER = "CHATSERVER_WORKER"
"""Marks a worker in its environment."""

CANNOT_START = 2
"""Exit status of a process that can't start with these settings: trying again would not help."""

BACKOFF_SECONDS = (0.5, 10.0)
"""How long to wait before a worker that died is replaced; doubled while they keep dying soon."""

HEALTHY_SECONDS = 30.0
STOP_MARGIN_SECONDS = 5.0


def is_worker() -> bool:
    return WORKER in os.environ


def run(settings: Settings, arguments: Sequence[str]) -> int:
    """Runs the workers until SIGTERM or SIGINT. Returns the exit status."""
    problem = _why_not(settings.host, settings.port)
    if problem:
        print(f"PORT is not right: {problem}", file=sys.stderr)
        return CANNOT_START
    return Supervisor(settings, arguments).run()


class Supervisor:
    def __init__(self, settings: Settings, arguments: Sequence[str]) -> None:
        self._settings = settings
        self._command = [sys.executable, "-m", "chatserver", *arguments]
        self._workers: dict[subprocess.Popen[bytes], float] = {}
        self._backoff = BACKOFF_SECONDS[0]
        self._stopping = False
        self._woken, self._wake = os.pipe()

    def run(self) -> int:
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(self._wake)
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signal_number, self._stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for _ in range(self._settings.web_concurrency):
            self._start_worker()
        status = self._supervise()
        return status if status else self._wait_for_all()

    def _supervise(self) -> int:
        """Returns when told to stop (0), or with the status of a worker that can't start."""
        while not self._stopping:
            self._sleep(None)
            for worker in [each for each in self._workers if each.poll() is not None]:
                age = time.monotonic() - self._workers.pop(worker)
                if worker.returncode == CANNOT_START:
                    self._tell_all(signal.SIGTERM)
                    self._wait_for_all()
                    return CANNOT_START
                if not self._stopping:
                    self._replace(worker, age)
        return 0

    def _replace(self, worker: subprocess.Popen[bytes], age: float) -> None:
        self._backoff = BACKOFF_SECONDS[0] if age > HEALTHY_SECONDS else min(self._backoff * 2, BACKOFF_SECONDS[1])
        print(f"worker {worker.pid} ended ({worker.returncode}); another one follows", file=sys.stderr, flush=True)
        until = time.monotonic() + self._backoff
        while not self._stopping and (left := until - time.monotonic()) > 0:
            self._sleep(left)
        if not self._stopping:
            self._start_worker()

    def _start_worker(self) -> None:
        environment = os.environ | {WORKER: "1", "WEB_CONCURRENCY": "1"}
        worker = subprocess.Popen(
            self._command,
            env=environment,
            start_new_session=True,  # Ctrl-C reaches the parent alone, which passes it on once
            preexec_fn=die_with_parent(),
        )
        self._workers[worker] = time.monotonic()

    def _stop(self, *_: object) -> None:
        if not self._stopping:
            self._stopping = True
            self._tell_all(signal.SIGTERM)

    def _tell_all(self, signal_number: int) -> None:
        for worker in self._workers:
            if worker.poll() is None:
                worker.send_signal(signal_number)

    def _wait_for_all(self) -> int:
        deadline = time.monotonic() + self._settings.drain_seconds + STOP_MARGIN_SECONDS
        while any(worker.poll() is None for worker in self._workers):
            left = deadline - time.monotonic()
            if left <= 0:
                self._tell_all(signal.SIGKILL)
                deadline = time.monotonic() + STOP_MARGIN_SECONDS
            self._sleep(max(left, 0.1))
        return 0

    def _sleep(self, seconds: float | None) -> None:
        """Until a signal comes, or the time is over."""
        if select.select([self._woken], [], [], seconds)[0]:
            os.read(self._woken, 4096)


def _why_not(host: str, port: int) -> str | None:
    """Why workers could not listen there. With SO_REUSEPORT they would share the port with a stranger silently."""
    if port == 0:
        return "several processes need a port of their own choice, not 0"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return f"{host}:{port} can't be listened on ({error.strerror or error})"
    return None
