"""A chat as a process of its own, to be stopped, killed and started again: `python -m chatserver`, but for its dear
hashes of passwords (`tests/helpers/cheap_chat.py`)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 30.0


class ServerProcess:
    def __init__(
        self, port: int, environment: dict[str, str], command: list[str] | None = None, cwd: Path = ROOT
    ) -> None:
        self.port = port
        self.address = f"http://127.0.0.1:{port}"
        self._environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environment}
        self._command = command or [sys.executable, "-m", "tests.helpers.cheap_chat"]
        self._cwd = cwd
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it is ready."""
        self.process = subprocess.Popen(
            self._command, cwd=self._cwd, env=self._environment, stdout=subprocess.DEVNULL, start_new_session=True
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            assert self.process.poll() is None, f"the server ended with {self.process.returncode}"
            assert time.monotonic() < deadline, "the server did not become ready"
            time.sleep(0.02)

    def stop(self) -> int | None:
        """SIGTERM, and the exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def kill(self) -> None:
        """kill -9, the whole group."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/readyz", timeout=5) as response:
                return bool(response.status == 200)
        except OSError:
            return False
