"""The running parts that handlers may use. Built in `app.py`, nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

from chatserver.accounts import Accounts
from chatserver.audience import Audience
from chatserver.health import Health
from chatserver.history import History
from chatserver.in_flight import InFlight
from chatserver.limiter import Limiter
from chatserver.messages import Messages
from chatserver.presence import Presence
from chatserver.room_list import RoomList
from chatserver.rooms import Rooms
from chatserver.search import Search
from chatserver.security_log import SecurityLog
from chatserver.sessions import Sessions
from chatserver.streams import Streams
from chatserver.typists import Typists
from chatserver.unread import UnreadMessages
from chatserver.unsent import UnsentAnswers
from chatserver.workload import Workload


@dataclass(frozen=True)
class Services:
    accounts: Accounts
    sessions: Sessions
    rooms: Rooms
    room_list: RoomList
    unread: UnreadMessages
    messages: Messages
    history: History
    search: Search
    streams: Streams
    audience: Audience
    typists: Typists
    presence: Presence
    health: Health
    in_flight: InFlight
    workload: Workload
    unsent: UnsentAnswers
    security_log: SecurityLog
    limiter: Limiter
