"""When Python looks for reference cycles."""

from __future__ import annotations

import gc

YOUNG_OBJECTS = 20_000
"""Objects that are made between two looks at the young ones; Python's own 700 are those of a few requests. What
requests leave behind goes without a look: they leave no cycles."""


def collect_rarely() -> None:
    """To be called when everything is built: what is there now stays, and is not looked through again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])
