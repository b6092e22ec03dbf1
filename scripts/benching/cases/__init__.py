"""The cases, by name."""

from __future__ import annotations

from benching.cases.base import BEFORE, CHAT, Case, Step, before
from benching.cases.fan_out import Brief, FanOut, Hot, Many, Peers
from benching.cases.growth import Backlog, Growth
from benching.cases.idle import Idle
from benching.cases.many_rooms import ManyRooms
from benching.cases.opening import Opening
from benching.cases.posting import Posting
from benching.cases.processes import Processes
from benching.cases.profile import Profile
from benching.cases.quiet import Quiet
from benching.cases.quotas import Quotas
from benching.cases.rooms import Rooms
from benching.cases.storm import Storm

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
