"""The running parts that handlers may use. Built in `app.py`, nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

from chatserver.accounts import Accounts
from chatserver.audience import Audience
from chatserver.health import Health
from chatserver.history import History
from chatserver.in_flight import InFlight
from chatserver.messages import Messages
from chatserver.rooms import Rooms
from chatserver.search import Search
from chatserver.sessions import Sessions
from chatserver.streams import Streams


@dataclass(frozen=True)
class Services:
    accounts: Accounts
    sessions: Sessions
    rooms: Rooms
    messages: Messages
    history: History
    search: Search
    streams: Streams
    audience: Audience
    health: Health
    in_flight: InFlight
