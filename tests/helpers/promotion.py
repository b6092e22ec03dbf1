"""A Redis that changes its part."""

from __future__ import annotations

from redis import Redis


def promote(redis: Redis) -> None:
    """Makes the server a replica, and a master again. Nothing was replicated, so it keeps what it has."""
    redis.replicaof("127.0.0.1", "1")
    redis.replicaof("NO", "ONE")
