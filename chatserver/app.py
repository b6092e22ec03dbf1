"""The wiring: builds the parts, starts and stops them, serves until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import faulthandler
import logging
import re
import signal
import socket
from collections.abc import AsyncIterator
from typing import NamedTuple

from argon2 import PasswordHasher
from pymongo.errors import OperationFailure, PyMongoError
from redis.exceptions import RedisError, ResponseError
from tornado.netutil import bind_sockets

from chatserver import descriptors, garbage
from chatserver.accounts import Accounts
from chatserver.announcer import Announcer
from chatserver.application import ChatApplication
from chatserver.archive import Archive
from chatserver.archiver import Archiver
from chatserver.audience import Audience
from chatserver.background import Background
from chatserver.backlog import Backlog
from chatserver.bases import Bases
from chatserver.beginnings import Beginnings
from chatserver.commits import Commits
from chatserver.composing import Composing
from chatserver.counters import Counters
from chatserver.database import Database
from chatserver.errors import Unavailable
from chatserver.formatters import Formatters
from chatserver.handlers.proxies import Proxies
from chatserver.hashing import Hashing, make_hasher
from chatserver.health import Health
from chatserver.history import History
from chatserver.http_server import ChatServer
from chatserver.hub import Hub
from chatserver.in_flight import InFlight
from chatserver.limiter import Limiter
from chatserver.messages import Messages
from chatserver.names_of_before import add_looks
from chatserver.people import People
from chatserver.presence import GRACE_SECONDS, LEASE_SECONDS, Presence
from chatserver.presence_register import PresenceRegister
from chatserver.read_marks import ReadMarks
from chatserver.redis_trust import is_unverified
from chatserver.relay import Relay
from chatserver.room_list import RoomList
from chatserver.room_log import RoomLog
from chatserver.rooms import Rooms
from chatserver.search import Search
from chatserver.security_log import SecurityLog
from chatserver.services import Services
from chatserver.sessions import Sessions
from chatserver.settings import Settings
from chatserver.signals import Signals
from chatserver.streams import Streams
from chatserver.sweep import Sweep
from chatserver.trimming import Trimming
from chatserver.typists import Typists
from chatserver.unread import UnreadMessages
from chatserver.unsent import UnsentAnswers
from chatserver.wakeups import Wakeups
from chatserver.workload import MAX_REQUESTS_OF_A_USER, Workload

LISTEN_BACKLOG = 4096
"""Connections that may wait to be accepted: all readers come at once after a restart. The system may allow fewer."""

DEAD_PEER_MS = 30_000
"""How long what was sent may stay unacknowledged, or a full window closed."""

DRAIN_SHARE = 0.8
"""Of the time to drain, the part over which streams are ended; the rest is for requests that are being answered."""

FINISH_SECONDS = 3.0
"""How long at the very end is waited for what was begun and is not archived. It is marked in the log: any other
process, or the next one here, goes on with it."""

END_SECONDS = 10.0
"""How long after the time to drain a process ends by itself at the latest, wherever it is: what was acknowledged is
archived, and what was not is marked. Requests whose clients have gone may have a long line for MongoDB before them."""

_DRIVERS_OWN_STATE = re.compile(r"\n| \(configured |, Timeout: ")
"""Where an error of PyMongo stops saying what is wrong and goes on with all it knows."""

log = logging.getLogger(__name__)


class CannotStart(Exception):
    """What stands in the way, beginning with the name of the variable to look at."""


class Chat(NamedTuple):
    """A running chat, but for the listening socket."""

    application: ChatApplication
    services: Services
    hub: Hub


@contextlib.asynccontextmanager
async def running(settings: Settings, *, hasher: PasswordHasher | None = None) -> AsyncIterator[Chat]:
    """Builds and starts all parts; stops them in the opposite order. `hasher`: where no real passwords are."""
    async with contextlib.AsyncExitStack() as stack:
        async with _first_contact("MONGODB_URI"):
            database = Database(settings.mongodb_uri)
            stack.callback(database.close)
            await database.prepare()
            await add_looks(database)
        archive = Archive(database)
        stack.push_async_callback(archive.close)
        async with _first_contact("REDIS_URL"):
            room_log = RoomLog(settings.redis_url)
            stack.push_async_callback(room_log.close)
            await room_log.ping()
        trimming = Trimming(settings.redis_url)
        stack.push_async_callback(trimming.close)
        backlog = Backlog(archive, room_log)
        archiver = Archiver(archive, Bases(database, room_log), Commits(database, archive, room_log), room_log)
        stack.push_async_callback(_finish, archiver)

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
        audience = Audience(sessions, in_all=settings.max_streams, per_user=settings.max_streams_per_user)
        signals = Signals(wakeups, hub, audience)
        announcer = Announcer(signals)
        stack.callback(announcer.stop)
        register = PresenceRegister(settings.redis_url, LEASE_SECONDS)
        stack.push_async_callback(register.close)
        presence = Presence(register, announcer, audience, grace_seconds=GRACE_SECONDS, lease_seconds=LEASE_SECONDS)
        rooms = Rooms(database, archiver, wakeups, signals)
        unread = UnreadMessages(database)
        room_list = RoomList(rooms, backlog, ReadMarks(database), unread, signals)
        history = History(archive, backlog)
        people = People(database)
        stack.push_async_callback(people.close)
        formatters = Formatters()
        stack.push_async_callback(formatters.close)
        messages = Messages(rooms, archiver, history, Composing(people, formatters))
        search = Search(database, rooms, people)
        health = Health({"redis": room_log.ping, "mongodb": database.ping}, background)
        stack.push_async_callback(health.close)
        streams = Streams(relay, backlog, hub)
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
            audience,
            Typists(signals),
            presence,
            health,
            InFlight(),
            Workload(MAX_REQUESTS_OF_A_USER if settings.rate_limits else None),
            UnsentAnswers(),
            SecurityLog(settings.cookie_secret),
            limiter,
        )

        # The relay stops last: it closes the connection over which the others still say who left.
        for part in (relay, Sweep(archiver, room_log, trimming), signals, presence, audience):
            part.start(background)
            stack.push_async_callback(part.stop)
        proxies = Proxies(settings.trusted_proxies)
        yield Chat(ChatApplication(services, settings.cookie_secret, settings.origin, proxies), services, hub)


def say_what_is_unsafe(settings: Settings) -> None:
    """What somebody chose, or has by default, and should know of."""
    if is_unverified(settings.redis_url):
        log.warning("REDIS_URL: the server's certificate is not verified, so anybody on the way could pose as it")
    if settings.origin is not None and settings.origin.is_https and settings.trusted_proxies == 0:
        log.warning(
            "ORIGIN is https, and TRUSTED_PROXIES is 0: nobody is believed to have ended TLS, so no page is shown"
        )
    if not settings.rate_limits:
        log.warning("RATE_LIMITS is off: anybody may do anything as often as they like, and guess passwords")
    if settings.origin is not None and settings.origin.is_https and not settings.trusted_proxies:
        log.warning("ORIGIN is https, and TRUSTED_PROXIES is 0: what a proxy says of HTTPS is not believed")


async def serve(settings: Settings, *, reuse_port: bool = False) -> None:
    """Runs the chat until SIGTERM or SIGINT, then drains it. `reuse_port`: other processes listen there too.

    Raises CannotStart.
    """
    told_to_stop = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, told_to_stop.set)
    try:
        limit = descriptors.allow_many()
    except descriptors.TooFewDescriptors as error:
        raise CannotStart(str(error)) from None
    say_what_is_unsafe(settings)
    max_streams = descriptors.streams_within(limit, settings.max_streams)
    async with running(dataclasses.replace(settings, max_streams=max_streams)) as chat:
        server = make_server(chat.application, limit)
        try:
            sockets = bind_sockets(settings.port, settings.host, backlog=LISTEN_BACKLOG, reuse_port=reuse_port)
        except OSError as error:
            raise CannotStart(f"PORT {settings.port} on HOST {settings.host}: {error.strerror}") from None
        for listener in sockets:
            notice_dead_peers(listener)
        if max_streams < settings.max_streams:
            text = "MAX_STREAMS is %d here, not %d: this process may open %s files (ulimit -Hn, LimitNOFILE)"
            log.warning(text, max_streams, settings.max_streams, limit)
        server.add_sockets(sockets)
        garbage.look_seldom()
        print(f"Harbour listening on http://{settings.host}:{sockets[0].getsockname()[1]}", flush=True)
        await told_to_stop.wait()
        faulthandler.dump_traceback_later(settings.drain_seconds + END_SECONDS, exit=True)
        await drain(chat, server, settings.drain_seconds)


@contextlib.asynccontextmanager
async def _first_contact(variable: str) -> AsyncIterator[None]:
    """An address that is wrong, or where nobody answers, stops the start by the name of its variable."""
    try:
        yield
    except (Unavailable, PyMongoError, RedisError, ValueError) as error:
        cause = error.__cause__ or error
        reason = _DRIVERS_OWN_STATE.split(str(cause))[0][:200]
        if isinstance(cause, OperationFailure | ResponseError):
            raise CannotStart(f"{variable}: the server there refuses what is needed ({reason})") from error
        raise CannotStart(f"{variable}: no server answers there ({reason})") from error


async def _finish(archiver: Archiver) -> None:
    try:
        async with asyncio.timeout(FINISH_SECONDS):
            await archiver.close()
    except TimeoutError:
        log.warning("not all that was begun is archived: another process has to go on with it")


def make_server(application: ChatApplication, limit: int | None = None) -> ChatServer:
    """`limit`: how many descriptors the process may have; None: any number."""
    return ChatServer(application, limit)


def notice_dead_peers(listener: socket.socket) -> None:
    """Connections accepted there end when their peer is gone without a word, or takes nothing any more (RFC 5482)."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_PEER_MS)


async def drain(chat: Chat, server: ChatServer, seconds: float) -> None:
    """Stops accepting, ends the streams spread over the time, lets requests finish; all within `seconds`."""
    chat.services.health.draining = True
    server.stop()
    try:
        async with asyncio.timeout(seconds):
            await chat.hub.drain(seconds * DRAIN_SHARE)
            await chat.services.in_flight.none_left()
    except TimeoutError:
        log.warning("%d requests were not answered in time", len(chat.services.in_flight))
    await server.close_all_connections()
