"""Serving: listens on the port, runs the chat until a signal stops it, and drains it."""

from __future__ import annotations

import asyncio
import dataclasses
import faulthandler
import logging
import signal
import socket

from tornado.netutil import bind_sockets

from chatserver.app import CannotStart, Chat, running
from chatserver.settings import Settings
from chatserver.support import descriptors, gc_tuning
from chatserver.support.redis_trust import is_unverified
from chatserver.web.application import ChatApplication
from chatserver.web.http_server import ChatServer

LISTEN_BACKLOG = 16_384
"""Connections that may wait to be accepted: all readers come at once after a restart. The system may allow fewer
(net.core.somaxconn); who finds no place is not refused, but repeated by the client's system after a second."""

DEAD_PEER_MS = 30_000
"""Longest time, in ms, that sent data may stay unacknowledged or a window full."""

DRAIN_SHARE = 0.8
"""Share of the time to drain over which streams are ended; the rest is for requests in progress."""

END_SECONDS = 10.0
"""A process ends by itself at the latest this long after the time to drain: acknowledged messages are archived, and the
rest is marked. Requests whose clients have gone may have a long queue for MongoDB before them."""

log = logging.getLogger(__name__)


def say_what_is_unsafe(settings: Settings) -> None:
    """Warns of settings that are unsafe, chosen or by default."""
    if is_unverified(settings.redis_url):
        log.warning("REDIS_URL: the server's certificate is not verified, so anybody on the way could pose as it")
    if settings.origin is not None and settings.origin.is_https and settings.trusted_proxies == 0:
        log.warning(
            "ORIGIN is https, and TRUSTED_PROXIES is 0: nobody is believed to have ended TLS, so no page is shown"
        )
    if not settings.rate_limits:
        log.warning("RATE_LIMITS is off: anybody may do anything as often as they like, and guess passwords")


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
        gc_tuning.collect_rarely()
        print(f"Harbour listening on http://{settings.host}:{sockets[0].getsockname()[1]}", flush=True)
        await told_to_stop.wait()
        faulthandler.dump_traceback_later(settings.drain_seconds + END_SECONDS, exit=True)
        await drain(chat, server, settings.drain_seconds)


def make_server(application: ChatApplication, limit: int | None = None) -> ChatServer:
    """`limit`: the most descriptors that the process may have; None: any number."""
    return ChatServer(application, limit)


def notice_dead_peers(listener: socket.socket) -> None:
    """Ends accepted connections whose peer has vanished or takes no more data (RFC 5482)."""
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
            await server.doorway.no_reader_left()
            await chat.services.in_flight.none_left()
    except TimeoutError:
        log.warning("%d requests were not answered in time", len(chat.services.in_flight))
    await server.close_all_connections()
