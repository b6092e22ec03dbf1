"""A clock of its own for a process, by libfaketime: it can be set an hour off and back while the process runs."""

from __future__ import annotations

from pathlib import Path

LIBRARIES = Path("/usr/lib")
FAKETIME = "*/faketime/libfaketimeMT.so.1"

ALLOCATOR = "libc_malloc_debug.so.0"
"""libfaketime needs memory before jemalloc, to which Redis is linked, can give any: each waits for the other at
the start. With this library, a part of glibc, in front, Redis takes its memory from glibc."""

SLEEP = '''"""libfaketime's clock_nanosleep fails where the monotonic clock is true; so do without it."""

import select
import time

time.sleep = lambda seconds: select.select([], [], [], seconds) and None
'''


class Clock:
    """The wall clock of one process. The monotonic one stays right, as it does when an administrator sets the time."""

    def __init__(self, folder: Path) -> None:
        self._library = find_library()
        self._folder = folder
        self._file = folder / "clock"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "sitecustomize.py").write_text(SLEEP)
        self.set(0)

    def set(self, seconds: int) -> None:
        """So many seconds before (-) or after the true time, within a second from now."""
        written = self._file.with_suffix(".new")
        written.write_text(f"{seconds:+d}\n")
        written.rename(self._file)  # never half-written

    def environment(self, *, redis: bool = False) -> dict[str, str]:
        """What makes a process live by this clock; empty where there is no libfaketime."""
        if self._library is None:
            return {}
        preload = f"{ALLOCATOR}:{self._library}" if redis else str(self._library)
        return {
            "LD_PRELOAD": preload,
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "PYTHONPATH": str(self._folder),
        }


def find_library() -> Path | None:
    """Debian's package is `libfaketime`."""
    return next(LIBRARIES.glob(FAKETIME), None)
