"""What processes use, by /proc: CPU time, memory and open files."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Usage:
    """What one process holds, without its children. `megabytes`: resident memory."""

    megabytes: float
    files: int

    @classmethod
    def of(cls, pid: int) -> Usage | None:
        """None if there is no such process."""
        try:
            files = open_files(pid)
        except OSError:
            return None
        return cls(_resident_kilobytes(pid) / 1024, files)

    def __str__(self) -> str:
        return f"{self.megabytes:.0f} MB, {self.files} files"


def children(pid: int) -> list[int]:
    """The children of all threads of the process. Empty if there is no such process."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []


def descendants(pid: int) -> list[int]:
    found = children(pid)
    return found + [below for child in found for below in descendants(child)]


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of the processes and their descendants up to now."""
    return sum(_cpu_seconds(member) for pid in pids for member in (pid, *descendants(pid)))


def memory_kilobytes(pids: Iterable[int]) -> float:
    """Resident memory of the processes and their descendants."""
    return sum(_resident_kilobytes(member) for pid in pids for member in (pid, *descendants(pid)))


def forget_peaks(pids: Iterable[int]) -> None:
    """Lets the peaks of the processes and their descendants begin at what they hold now."""
    for pid in pids:
        for member in (pid, *descendants(pid)):
            with contextlib.suppress(OSError):
                Path(f"/proc/{member}/clear_refs").write_text("5")  # proc_pid_clear_refs(5)


def peak_kilobytes(pids: Iterable[int]) -> float:
    """The most resident memory that each of the processes and their descendants ever had, in sum."""
    return sum(_status_kilobytes(member, "VmHWM") for pid in pids for member in (pid, *descendants(pid)))


def open_files(pid: int) -> int:
    """Raises OSError if there is no such process."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _cpu_seconds(pid: int) -> float:
    # The clock of another process (clock_getcpuclockid(3)) is the same sum as in /proc/PID/stat, in nanoseconds instead
    # of the hundredths of a second that are too coarse for a quiet room.
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


def _resident_kilobytes(pid: int) -> int:
    return _status_kilobytes(pid, "VmRSS")


def _status_kilobytes(pid: int, name: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)
