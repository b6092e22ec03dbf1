"""What a process holds: memory and open files. A chat that serves nobody any more holds what it began with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MORE_MEGABYTES = 60.0
"""What may stay: caches of rooms and sessions, and what Python does not give back to the system."""

MORE_FILES = 45
"""What may stay: connections in the pools to MongoDB (20 to a member that was written to) and Redis (8)."""


@dataclass(frozen=True)
class Usage:
    megabytes: float
    files: int

    @classmethod
    def of(cls, pid: int) -> Usage | None:
        """None if there is no such process."""
        try:
            status = Path(f"/proc/{pid}/status").read_text()
            files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        except OSError:
            return None
        (rss,) = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")] or ["0"]
        return cls(int(rss) / 1024, files)

    def is_back_to(self, start: Usage) -> bool:
        return self.megabytes <= start.megabytes + MORE_MEGABYTES and self.files <= start.files + MORE_FILES

    def __str__(self) -> str:
        return f"{self.megabytes:.0f} MB, {self.files} files"
