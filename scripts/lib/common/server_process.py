"""`python -m chatserver` as a process of its own: started as a deployment would, stopped, killed and started again."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from common.http_client import request_now
from common.paths import ROOT
from common.private_server import StartError
from common.process import STOP_SECONDS, Process
from common.usage import Usage
from common.waiting import blocked_until

START_SECONDS = 30.0
POLL_SECONDS = 0.02
MANY_STREAMS = "15000"


def chat_environment(
    mongodb_uri: str, redis_url: str, secret: str, *, drain_seconds: float = 0, rate_limits: bool = False
) -> dict[str, str]:
    """The variables of a chat that is put under load: without `rate_limits` one user may do what a crowd does."""
    return {
        "MONGODB_URI": mongodb_uri,
        "REDIS_URL": redis_url,
        "COOKIE_SECRET": secret,
        "DRAIN_SECONDS": str(drain_seconds),
        "RATE_LIMITS": "on" if rate_limits else "off",
        "MAX_STREAMS_PER_USER": "100" if rate_limits else MANY_STREAMS,
    }


class ServerProcess:
    """`environment`: its variables beside PATH, HOME and PORT. `command`: what is run instead. `folder`: where, a
    checkout. `log`: as of Process."""

    def __init__(
        self,
        port: int,
        environment: Mapping[str, str],
        command: Sequence[str] = (sys.executable, "-m", "chatserver"),
        *,
        folder: Path = ROOT,
        log: Path | None = None,
    ) -> None:
        self.port = port
        self.log = log
        self._environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "PORT": str(port)}
        self._environment |= environment
        self._command = command
        self._folder = folder
        self._process: Process | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def process(self) -> Process:
        """The one that was started last."""
        assert self._process is not None, "it was never started"
        return self._process

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.runs

    def start(self) -> None:
        """Returns when it is ready. Raises StartError."""
        self.launch()
        self.await_ready()

    def launch(self) -> None:
        self._process = Process(self._command, folder=self._folder, environment=self._environment, log=self.log)

    def await_ready(self) -> None:
        """Raises StartError if it ends instead, or is not ready in 30 s."""
        came = blocked_until(lambda: not self.runs or self.is_ready(), START_SECONDS, poll=POLL_SECONDS)
        why = "" if self.log is None else f"; {self.log} says why"
        if not self.runs:
            raise StartError(f"the chat ended with {self.process.status}{why}")
        if not came:
            raise StartError(f"the chat did not become ready{why}")

    def is_ready(self) -> bool:
        try:
            return request_now(self.port, "GET", "/readyz", seconds=5).status == 200
        except (OSError, EOFError):
            return False

    def send(self, number: signal.Signals) -> None:
        """Nothing happens if it does not run."""
        if self._process is not None:
            self._process.send(number)

    def stop(self) -> int | None:
        """SIGTERM, and the exit status; None: it was never started. Raises subprocess.TimeoutExpired."""
        self.send(signal.SIGTERM)
        self.send(signal.SIGCONT)  # one that is frozen would not hear it
        return None if self._process is None else self._process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """kill -9, the whole group."""
        self.process.kill()

    def usage(self) -> Usage | None:
        """None while it does not run."""
        return Usage.of(self.process.pid) if self.runs else None
