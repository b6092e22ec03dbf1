"""A program that is run: started, signalled, stopped in an orderly way or killed. It ends when this process does."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from chatserver.support.child_processes import die_with_parent

STOP_SECONDS = 30.0


class Process:
    """`environment`: all of its variables; those of this process if none are given. `log`: the file that its output is
    added to; without one what it says on standard error is shown, and the rest is not. It has a session of its own:
    Ctrl-C does not reach it."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
        log: Path | None = None,
        umask: int = -1,
    ) -> None:
        output = None if log is None else log.open("ab")
        try:
            self._popen = subprocess.Popen(
                [str(word) for word in command],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output or subprocess.DEVNULL,
                stderr=output,
                start_new_session=True,
                preexec_fn=die_with_parent(),
                umask=umask,
            )
        finally:
            if output is not None:
                output.close()

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def status(self) -> int | None:
        """With which it ended; None while it runs."""
        return self._popen.poll()

    @property
    def runs(self) -> bool:
        return self.status is None

    def send(self, number: signal.Signals) -> None:
        """Nothing happens if it has ended."""
        self._popen.send_signal(number)

    def wait(self, seconds: float | None = None) -> int:
        """Returns its status. Raises subprocess.TimeoutExpired."""
        return self._popen.wait(seconds)

    def stop(self, seconds: float = STOP_SECONDS) -> int:
        """SIGTERM; SIGKILL for one that is still there after so many seconds. Returns its status."""
        self.send(signal.SIGTERM)
        self.send(signal.SIGCONT)  # one that is frozen would not hear it
        try:
            return self.wait(seconds)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """SIGKILL, for it and for all that it started and did not give a session of their own."""
        if self.runs:
            os.killpg(self.pid, signal.SIGKILL)
        return self.wait()
