"""How many files and sockets this process may have open."""

from __future__ import annotations

import resource

MANY = 65_536


def allow_many_files() -> None:
    """As many as the system lets us, up to 65,536."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, MANY)), hard))
