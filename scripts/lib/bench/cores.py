"""Which core works for whom: what is measured has one of its own, and so has what measures it, where there are two."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import NamedTuple


class Cores(NamedTuple):
    """`served`: for the candidates. `load`: for readers and posters. `stores`: for Redis and mongod, which share a core
    with the load where there are only two."""

    served: frozenset[int]
    load: frozenset[int]
    stores: frozenset[int]

    @classmethod
    def of_this_machine(cls) -> Cores:
        return cls.among(sorted(os.sched_getaffinity(0)))

    @classmethod
    def among(cls, cores: list[int]) -> Cores:
        served, load = cores[0], cores[min(1, len(cores) - 1)]
        return cls(frozenset({served}), frozenset({load}), frozenset(cores[2:] or {load}))

    def everywhere(self) -> frozenset[int]:
        return self.served | self.load | self.stores


@contextlib.contextmanager
def on(cores: frozenset[int]) -> Iterator[None]:
    """Processes that are started meanwhile, and their children, stay on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
