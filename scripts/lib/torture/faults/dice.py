"""What a fault draws its lots with, and what a fault is."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

from torture.people.journal import Fault
from torture.world.world import World


class Dice(random.Random):
    """The same seed, the same lots. `longest`: seconds that no fault outlasts, so that a quick run is one."""

    def __init__(self, seed: int, longest: float) -> None:
        super().__init__(seed)
        self._longest = longest

    def seconds(self, *choices: float) -> float:
        return min(self.choice(choices), self._longest)


Break = Callable[[World, Dice, Fault], Awaitable[None]]
"""Breaks something, says in the fault what exactly, waits, and mends it again."""
