"""The running parts that handlers may use. Built in `app.py`, nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chatserver.accounts import Accounts
from chatserver.health import Health
from chatserver.messages import Messages
from chatserver.rooms import Rooms
from chatserver.streams import Streams

if TYPE_CHECKING:
    from chatserver.handlers.base import Handler


@dataclass(frozen=True)
class Services:
    accounts: Accounts
    rooms: Rooms
    messages: Messages
    streams: Streams
    health: Health
    in_flight: set[Handler] = field(default_factory=set)
    """Requests that have not been answered yet: a stopping server waits for them."""
