"""Tuning of Python's garbage collector, which looks for reference cycles."""

from __future__ import annotations

import gc

YOUNG_OBJECTS = 20_000
"""Objects made between two collections of the young ones; Python's default of 700 is reached in a few requests. Request
objects are freed by reference counting: they form no cycles."""


def collect_rarely() -> None:
    """Excludes all present objects from later collections, and makes these rare. Call when everything is built."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])
