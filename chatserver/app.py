"""The wiring: builds the parts, starts them, and stops them in the opposite order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator
from typing import NamedTuple

from argon2 import PasswordHasher
from pymongo.errors import OperationFailure, PyMongoError
from redis.exceptions import RedisError, ResponseError

from chatserver.accounts.accounts import Accounts
from chatserver.accounts.first_cursors import Beginnings
from chatserver.accounts.hashing import Hashing, make_hasher
from chatserver.accounts.lookup import UserLookup
from chatserver.accounts.security_log import SecurityLog
from chatserver.accounts.sessions import Sessions
from chatserver.archive.backlog import Backlog
from chatserver.archive.branch_bases import BranchBases
from chatserver.archive.commits import Commits
from chatserver.archive.database import Database
from chatserver.archive.events import Archive
from chatserver.archive.name_migration import add_skeletons
from chatserver.archive.publisher import Publisher
from chatserver.archive.sweep import Sweep
from chatserver.archive.trimming import Trimming
from chatserver.errors import Unavailable
from chatserver.live.hub import Hub
from chatserver.live.open_streams import OpenStreams
from chatserver.live.opening import StreamOpener
from chatserver.live.relay import Relay
from chatserver.live.signals import Signals
from chatserver.log.room_log import RoomLog
from chatserver.log.wakeups import Wakeups
from chatserver.messages.formatter_pool import Formatters
from chatserver.messages.history import History
from chatserver.messages.messages import Messages
from chatserver.messages.rendering import Composing
from chatserver.presence.announcer import Announcer
from chatserver.presence.presence import GRACE_SECONDS, LEASE_SECONDS, Presence
from chatserver.presence.register import PresenceRegister
from chatserver.presence.typing import TypingNotices
from chatserver.quotas.counters import Counters
from chatserver.quotas.limiter import Limiter
from chatserver.rooms.read_marks import ReadMarks
from chatserver.rooms.room_list import RoomList
from chatserver.rooms.rooms import Rooms
from chatserver.rooms.unread import UnreadMessages
from chatserver.search.search import Search
from chatserver.settings import Settings
from chatserver.support.background import Background
from chatserver.web.application import ChatApplication
from chatserver.web.caller.proxies import Proxies
from chatserver.web.health import Health
from chatserver.web.js_bundle import CannotBundle
from chatserver.web.page_files import MissingPageFiles, find_page_files
from chatserver.web.services import Services
from chatserver.web.static_files import StaticFiles
from chatserver.web.transport.fair_share import FairShares
from chatserver.web.transport.in_flight import InFlight
from chatserver.web.transport.unsent import UnsentAnswers
from chatserver.web.transport.workload import Workload

FINISH_SECONDS = 3.0
"""Time to finish archiving at the very end. The rest is marked in the log: any other process, or the next one here,
goes on with it."""

_DRIVERS_OWN_STATE = re.compile(r"\n| \(configured |, Timeout: ")
"""The end of the reason in an error of PyMongo; the driver's own state follows."""

log = logging.getLogger(__name__)


class CannotStart(Exception):
    """The chat can't start. The text begins with the name of the variable or file to look at."""


class Chat(NamedTuple):
    """A running chat without its listening socket."""

    application: ChatApplication
    services: Services
    hub: Hub


@contextlib.asynccontextmanager
async def running(
    settings: Settings, *, hasher: PasswordHasher | None = None, static_files: StaticFiles | None = None
) -> AsyncIterator[Chat]:
    """Builds and starts all parts; stops them in the opposite order. `hasher`: a cheaper one for passwords that aren't
    real. `static_files`: those that another chat of this process has already read.

    Raises CannotStart.
    """
    files = static_files or _read_static_files()
    async with contextlib.AsyncExitStack() as stack:
        async with _first_contact("MONGODB_URI"):
            database = Database(settings.mongodb_uri)
            stack.callback(database.close)
            await database.prepare()
            await add_skeletons(database)
        archive = Archive(database)
        stack.push_async_callback(archive.close)
        async with _first_contact("REDIS_URL"):
            room_log = RoomLog(settings.redis_url)
            stack.push_async_callback(room_log.close)
            await room_log.ping()
        trimming = Trimming(settings.redis_url)
        stack.push_async_callback(trimming.close)
        backlog = Backlog(archive, room_log)
        commits = Commits(database, archive, room_log)
        bases = BranchBases(database, room_log, commits.project_tail)
        publisher = Publisher(archive, bases, commits, room_log)
        stack.push_async_callback(_finish, publisher)

        background = Background()
        hub = Hub()
        hub.start(background)
        stack.push_async_callback(hub.stop)
        wakeups = Wakeups(settings.redis_url)
        relay = Relay(wakeups, room_log, backlog, hub)

        counters = Counters(settings.redis_url)
        stack.push_async_callback(counters.close)
        limiter = Limiter(counters if settings.rate_limits else None)
        hashing = Hashing(hasher or make_hasher(), is_shared_out=settings.rate_limits)
        stack.callback(hashing.close)
        accounts = Accounts(database, Beginnings(database, backlog).now, hashing, limiter)
        sessions = Sessions(database, wakeups)
        open_streams = OpenStreams(sessions, in_all=settings.max_streams, per_user=settings.max_streams_per_user)
        signals = Signals(wakeups, hub, open_streams)
        announcer = Announcer(signals)
        stack.callback(announcer.stop)
        register = PresenceRegister(settings.redis_url, LEASE_SECONDS)
        stack.push_async_callback(register.close)
        presence = Presence(register, announcer, open_streams, grace_seconds=GRACE_SECONDS, lease_seconds=LEASE_SECONDS)
        rooms = Rooms(database, publisher, wakeups, signals)
        unread = UnreadMessages(database)
        room_list = RoomList(rooms, backlog, ReadMarks(database), unread, signals)
        history = History(archive, backlog)
        people = UserLookup(database)
        stack.push_async_callback(people.close)
        formatters = Formatters()
        stack.push_async_callback(formatters.close)
        messages = Messages(rooms, publisher, history, Composing(people, formatters))
        search = Search(database, rooms, people)
        health = Health({"redis": room_log.ping, "mongodb": database.ping}, background)
        stack.push_async_callback(health.close)
        streams = StreamOpener(relay, backlog, hub)
        services = Services(
            accounts,
            sessions,
            rooms,
            room_list,
            unread,
            messages,
            history,
            search,
            streams,
            open_streams,
            TypingNotices(signals),
            presence,
            health,
            InFlight(),
            Workload(FairShares() if settings.rate_limits else None),
            UnsentAnswers(),
            SecurityLog(settings.cookie_secret),
            limiter,
        )

        # The relay stops last: the others announce departures over its connection.
        for part in (relay, Sweep(publisher, room_log, trimming), signals, presence, open_streams):
            part.start(background)
            stack.push_async_callback(part.stop)
        proxies = Proxies(settings.trusted_proxies)
        application = ChatApplication(services, settings.cookie_secret, files, settings.origin, proxies)
        yield Chat(application, services, hub)


def _read_static_files() -> StaticFiles:
    """Raises CannotStart if a file of the pages is missing: each page would be an error for every user."""
    try:
        return StaticFiles(find_page_files().static)
    except MissingPageFiles as error:
        raise CannotStart(str(error)) from error
    except CannotBundle as error:
        raise CannotStart(f"static/{error}") from error


@contextlib.asynccontextmanager
async def _first_contact(variable: str) -> AsyncIterator[None]:
    """Stops the start with the name of the variable if its address is wrong or no server answers there."""
    try:
        yield
    except (Unavailable, PyMongoError, RedisError, ValueError) as error:
        cause = error.__cause__ or error
        reason = _DRIVERS_OWN_STATE.split(str(cause))[0][:200]
        if isinstance(cause, OperationFailure | ResponseError):
            raise CannotStart(f"{variable}: the server there refuses what is needed ({reason})") from error
        raise CannotStart(f"{variable}: no server answers there ({reason})") from error


async def _finish(publisher: Publisher) -> None:
    try:
        async with asyncio.timeout(FINISH_SECONDS):
            await publisher.close()
    except TimeoutError:
        log.warning("not all that was begun is archived: another process has to go on with it")
