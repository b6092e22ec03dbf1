"""Services: the running parts that handlers may use. Built in `app.py`, nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

from chatserver.accounts.accounts import Accounts
from chatserver.accounts.security_log import SecurityLog
from chatserver.accounts.sessions import Sessions
from chatserver.live.open_streams import OpenStreams
from chatserver.live.opening import StreamOpener
from chatserver.messages.history import History
from chatserver.messages.messages import Messages
from chatserver.presence.presence import Presence
from chatserver.presence.typing import TypingNotices
from chatserver.quotas.limiter import Limiter
from chatserver.rooms.room_list import RoomList
from chatserver.rooms.rooms import Rooms
from chatserver.rooms.unread import UnreadMessages
from chatserver.search.search import Search
from chatserver.web.health import Health
from chatserver.web.transport.in_flight import InFlight
from chatserver.web.transport.unsent import UnsentAnswers
from chatserver.web.transport.workload import Workload


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
    streams: StreamOpener
    open_streams: OpenStreams
    typists: TypingNotices
    presence: Presence
    health: Health
    in_flight: InFlight
    workload: Workload
    unsent: UnsentAnswers
    security_log: SecurityLog
    limiter: Limiter
