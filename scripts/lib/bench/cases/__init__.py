"""The cases, by name."""

from __future__ import annotations

from bench.cases.base import BEFORE, CHAT, Case, Step, before
from bench.cases.fan_out import Brief, FanOut, Hot, Many, Peers
from bench.cases.growth import Backlog, Growth
from bench.cases.idle import Idle
from bench.cases.many_rooms import ManyRooms
from bench.cases.opening import Opening
from bench.cases.posting import Posting
from bench.cases.processes import Processes
from bench.cases.profile import Profile
from bench.cases.quiet import Quiet
from bench.cases.quotas import Quotas
from bench.cases.rooms import Rooms
from bench.cases.storm import Storm

__all__ = ["ALL", "BEFORE", "CHAT", "QUICK", "Case", "Step", "before"]

_CASES: tuple[Case, ...] = (
    FanOut(),
    Hot(),
    Peers(),
    Many(),
    Idle(),
    Storm(),
    Rooms(),
    ManyRooms(),
    Opening(),
    Posting(),
    Quotas(),
    Quiet(),
    Processes(),
    Growth(),
    Backlog(),
    Profile(),
)

ALL: dict[str, Case] = {case.name: case for case in _CASES}

QUICK: dict[str, Case] = {case.name: case for case in (Brief(), Hot(), Posting(), Quiet())}
"""The most telling ones."""
