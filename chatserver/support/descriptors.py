"""File descriptors: the system's limit for this process, and the shares kept for each purpose.

Each connection is one. When they run out, nothing works any more: no connection is accepted and none is made to Redis
or MongoDB. So streams get the rest of the limit when all else has its share.
"""

from __future__ import annotations

import os
import resource

KEPT_FOR_STORES = 48
"""Descriptors that no connection from outside gets: the pools for Redis (18) and MongoDB (20 and its monitors) may have
to connect anew at any moment, and a process that formats to be replaced."""

KEPT_FOR_ALL_ELSE = 128
"""Descriptors that no stream gets: those for the stores, what the process has open anyway, and requests."""

FEWEST_STREAMS = 16


class TooFewDescriptors(Exception):
    """The limit leaves too few descriptors to serve. The text names the limit, and the number needed."""


def allow_many() -> int | None:
    """Sets the soft limit, which is for programs that use select(), to the hard one. Returns it; None if there is none.

    Raises TooFewDescriptors.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        return None
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard < KEPT_FOR_ALL_ELSE + FEWEST_STREAMS:
        needed = KEPT_FOR_ALL_ELSE + FEWEST_STREAMS
        raise TooFewDescriptors(f"this process may open {hard} files (ulimit -Hn, LimitNOFILE), and needs {needed}")
    return hard


def streams_within(limit: int | None, max_streams: int) -> int:
    """Returns the number of streams that the limit on open files leaves room for, at most `max_streams`."""
    return max_streams if limit is None else min(max_streams, limit - KEPT_FOR_ALL_ELSE)


def are_left_for_connections(limit: int | None, some_open: int) -> bool:
    """Returns True if one more connection leaves the stores their share.

    The system assigns the lowest free number, so the number of a copy of `some_open` (a descriptor) tells how many are
    in use.
    """
    try:
        copy = os.dup(some_open)
    except OSError:
        return False
    os.close(copy)
    return limit is None or copy < limit - KEPT_FOR_STORES
