"""What Redis answers to the clients of the tests."""

from __future__ import annotations


def as_bytes(answer: bytes | str) -> bytes:
    """As it is: these clients decode nothing, which their types don't say."""
    assert isinstance(answer, bytes)
    return answer
