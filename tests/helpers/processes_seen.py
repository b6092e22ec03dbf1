"""What /proc tells about processes and their connections."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable
from pathlib import Path


def is_alive(pid: int) -> bool:
    """Whether it runs: one that ended and was not collected by its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def kill(pids: Iterable[int]) -> None:
    """Ends those that still run: they must be of this test."""
    for pid in pids:
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)


def owner(pids: Iterable[int], server_port: int, client_port: int) -> int | None:
    """Which of the processes has the server's end of the loopback connection between the two ports."""
    ends = (f":{server_port:04X}", f":{client_port:04X}")
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, *rest = line.split()
        if local.endswith(ends[0]) and remote.endswith(ends[1]):
            socket = f"socket:[{rest[6]}]"
            return next((pid for pid in pids if socket in _open_files(pid)), None)
    return None


def listens_everywhere(port: int) -> bool:
    """Whether somebody listens at the port on all IPv4 addresses of this machine."""
    return f" 00000000:{port:04X} 00000000:0000 0A " in Path("/proc/net/tcp").read_text()


def _open_files(pid: int) -> set[str]:
    files = set()
    with contextlib.suppress(OSError):
        for file in os.scandir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                files.add(os.readlink(file.path))
    return files
