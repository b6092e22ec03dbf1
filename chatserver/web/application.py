"""The routes, and the rules for every request: static files, the limit on bodies, unknown paths."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.template import Loader
from tornado.web import Application, RequestHandler

from chatserver.errors import TooLarge
from chatserver.support.origin import Origin
from chatserver.web.caller.cookies import Cookies
from chatserver.web.caller.csrf_tokens import CsrfTokens
from chatserver.web.caller.proxies import Proxies
from chatserver.web.default_headers import DefaultHeaders
from chatserver.web.handlers import (
    accounts,
    health,
    message,
    messages,
    pages,
    presence,
    read_marks,
    rooms,
    search,
    site,
    static,
    stream,
)
from chatserver.web.handlers.base import Handler
from chatserver.web.handlers.compression import Compression
from chatserver.web.handlers.security_headers import SECURITY_HEADERS
from chatserver.web.http_parts import HttpParts
from chatserver.web.page_files import find_page_files
from chatserver.web.services import Services
from chatserver.web.static_files import StaticFiles
from chatserver.web.transport.body_limit import BodyLimit

NOT_BEHIND_ANY = Proxies(trusted=0)

STREAM_PATH = "/chat/stream"
STREAM_REQUEST = f"GET {STREAM_PATH}".encode()
"""What the request for a stream begins with."""

access_log = logging.getLogger("chatserver.access")


class ChatApplication(Application):
    """Tornado's application with the routes of docs/API.md."""

    def __init__(
        self,
        services: Services,
        cookie_secret: str,
        static_files: StaticFiles,
        origin: Origin | None = None,
        proxies: Proxies = NOT_BEHIND_ANY,
    ) -> None:
        """Raises MissingPageFiles."""
        http = HttpParts(
            origin,
            proxies,
            Cookies(cookie_secret, host_only=origin is not None and origin.is_https),
            CsrfTokens(cookie_secret),
            DefaultHeaders({"Content-Type": "text/html; charset=UTF-8"} | SECURITY_HEADERS),
            static_files,
        )
        parts: dict[str, Any] = {"services": services, "http": http}
        super().__init__(
            [
                # Tried in order, so the busiest first.
                (r"/messages", messages.MessagesHandler, parts),
                (STREAM_PATH, stream.StreamHandler, parts),
                (r"/", pages.Home, parts),
                (r"/chat", pages.RoomsPage, parts),
                (r"/chat/([^/]+)", pages.RoomPage, parts),
                (r"/sign-up", accounts.SignUp, parts),
                (r"/sign-in", accounts.SignIn, parts),
                (r"/sign-out", accounts.SignOut, parts),
                (r"/csrf", accounts.CsrfToken, parts),
                (r"/search", search.SearchHandler, parts),
                (r"/rooms", rooms.RoomsHandler, parts),
                (r"/rooms/([^/]+)", rooms.RoomHandler, parts),
                (r"/rooms/([^/]+)/messages", messages.RoomMessagesHandler, parts),
                (r"/rooms/([^/]+)/messages/([^/]+)", message.MessageHandler, parts),
                (r"/rooms/([^/]+)/messages/([^/]+)/reactions/([^/]+)", message.ReactionHandler, parts),
                (r"/rooms/([^/]+)/typing", presence.TypingHandler, parts),
                (r"/rooms/([^/]+)/presence", presence.PresenceHandler, parts),
                (r"/rooms/([^/]+)/read", read_marks.ReadHandler, parts),
                (r"/healthz", health.Healthz, parts),
                (r"/readyz", health.Readyz, parts),
                (r"/static/v-([0-9a-f]+)/(.+)", static.StaticHandler, parts),
            ],
            default_handler_class=site.UnknownPath,
            default_handler_args=parts,
            template_loader=_templates(find_page_files().templates),
            cookie_secret=cookie_secret,
            log_function=log_request,
            transforms=[Compression],
        )
        self._parts = parts
        self._origin = origin
        self._proxies = proxies
        # Called with Tornado's connection when the head of a request has arrived, when all of it has, and when its
        # answer is made, which may then still be on its way.
        self.on_head: Callable[[object], None] = _ignore
        self.on_whole: Callable[[object], None] = _ignore
        self.on_answered: Callable[[object], None] = _ignore

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        def refusal() -> HTTPMessageDelegate:
            return self.get_handler_delegate(request, BodyTooLarge, self._parts)

        self.on_head(request.server_connection)
        connection = cast("HTTP1Connection", request.connection)
        elsewhere = None if self._origin is None else site.refusal(request, self._origin, self._proxies)
        handler = (
            super().find_handler(request, **kwargs)
            if elsewhere is None
            else self.get_handler_delegate(request, elsewhere, self._parts)
        )
        return BodyLimit(handler, refusal, connection.close, partial(self.on_whole, request.server_connection))

    def log_request(self, handler: RequestHandler) -> None:
        super().log_request(handler)
        self.on_answered(handler.request.server_connection)


class BodyTooLarge(Handler):
    open_to_all = True

    async def prepare(self) -> None:
        raise TooLarge

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_header("Connection", "close")
        super().write_error(status_code, **kwargs)


def _templates(folder: Path) -> Loader:
    """Loads all templates at the start: compiling one on the first request would delay all others."""
    loader = Loader(str(folder))
    for file in folder.glob("*.html"):
        loader.load(file.name)
    return loader


def _ignore(_: object) -> None:
    pass


def log_request(handler: RequestHandler) -> None:
    """Logs one line for each answer: at ERROR if it needs attention."""
    status = handler.get_status()
    level = logging.ERROR if status == 500 else logging.INFO
    access_log.log(level, "%d %s %s", status, handler.request.method, handler.request.path)
