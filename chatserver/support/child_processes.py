"""Child processes that do not outlive their parent."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def end_with(parent: int) -> None:
    """Has this process killed when its parent (a pid) ends, even by kill -9 (prctl(2), Linux).

    For a child that has nothing to finish and ignores SIGTERM. Does nothing on other systems.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)  # the parent ended before the line above


def die_with_parent() -> Callable[[], None] | None:
    """Returns a `preexec_fn`: the child gets SIGTERM when its parent ends, even by kill -9 (prctl(2), Linux).

    Returns None on other systems: there only an orderly end stops the child.
    """
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)  # loaded before the fork: after it, only system calls are safe
    parent = os.getpid()

    def bind() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)  # the parent ended before the line above

    return bind
