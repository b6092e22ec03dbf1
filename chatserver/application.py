"""The routes, and what holds for every request: static files, the limit on bodies, unknown paths."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any, cast

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.web import Application, RequestHandler, StaticFileHandler

from chatserver.body_limit import BodyLimit
from chatserver.errors import NotFound, TooLarge
from chatserver.handlers import accounts, health, message, messages, pages, rooms, search, stream
from chatserver.handlers.base import Handler, UnknownPath
from chatserver.handlers.cookies import Cookies
from chatserver.services import Services

ROOT = Path(__file__).resolve().parent.parent

access_log = logging.getLogger("chatserver.access")


class ChatApplication(Application):
    """Tornado's application with the routes of API.md."""

    def __init__(self, services: Services, cookie_secret: str) -> None:
        static = ROOT / "static"
        version = fingerprint(static)
        super().__init__(
            [
                # In turn, so the busiest first.
                (r"/messages", messages.MessagesHandler, _with(services)),
                (r"/chat/stream", stream.StreamHandler, _with(services)),
                (r"/", pages.Home, _with(services)),
                (r"/chat", pages.RoomsPage, _with(services)),
                (r"/chat/([^/]+)", pages.RoomPage, _with(services)),
                (r"/sign-up", accounts.SignUp, _with(services)),
                (r"/sign-in", accounts.SignIn, _with(services)),
                (r"/sign-out", accounts.SignOut, _with(services)),
                (r"/csrf", accounts.CsrfToken, _with(services)),
                (r"/rooms", rooms.RoomsHandler, _with(services)),
                (r"/rooms/([^/]+)", rooms.RoomHandler, _with(services)),
                (r"/rooms/([^/]+)/messages", messages.RoomMessagesHandler, _with(services)),
                (r"/rooms/([^/]+)/messages/([^/]+)", message.MessageHandler, _with(services)),
                (r"/rooms/([^/]+)/messages/([^/]+)/reactions/([^/]+)", message.ReactionHandler, _with(services)),
                (r"/search", search.SearchHandler, _with(services)),
                (r"/healthz", health.Healthz, _with(services)),
                (r"/readyz", health.Readyz, _with(services)),
                (
                    r"/static/v-[0-9a-f]+/(.+)",
                    VersionedFile,
                    _with(services) | {"path": str(static), "version": version},
                ),
            ],
            default_handler_class=UnknownPath,
            default_handler_args=_with(services),
            template_path=str(ROOT / "templates"),
            cookie_secret=cookie_secret,
            cookies=Cookies(),
            xsrf_cookie_kwargs={"httponly": True, "samesite": "Lax"},
            log_function=log_request,
            static_path_of=lambda path: f"/static/v-{version}/{path}",
        )
        self._services = services

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        def refusal() -> HTTPMessageDelegate:
            return self.get_handler_delegate(request, BodyTooLarge, _with(self._services))

        connection = cast("HTTP1Connection", request.connection)
        return BodyLimit(super().find_handler(request, **kwargs), refusal, connection.close)


class BodyTooLarge(Handler):
    open_to_all = True

    async def prepare(self) -> None:
        raise TooLarge

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_header("Connection", "close")
        super().write_error(status_code, **kwargs)


class VersionedFile(StaticFileHandler, Handler):
    """A static file under an address that changes with its content, so browsers may keep it for ever.

    The version is part of the path: what a module imports by a relative path has the same version as the module.
    """

    def initialize(self, services: Services, path: str, version: str) -> None:  # type: ignore[override]
        Handler.initialize(self, services)
        StaticFileHandler.initialize(self, path)
        self._version = version

    async def prepare(self) -> None:
        self._refuse_unknown_method()

    def parse_url_path(self, url_path: str) -> str:
        if "\0" in url_path:  # no file is called that, and asking for one raises ValueError
            raise NotFound
        return super().parse_url_path(url_path)

    def set_extra_headers(self, path: str) -> None:
        # While a new release takes over, the page of one may ask the other for its files: nobody shall keep those.
        if self.request.path.startswith(f"/static/v-{self._version}/"):
            self.set_header("Cache-Control", "public, max-age=31536000, immutable")


def fingerprint(folder: Path) -> str:
    """A short hash of all the files below the folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def log_request(handler: RequestHandler) -> None:
    """One line for each answer, at a level that says whether somebody should look."""
    status = handler.get_status()
    level = logging.ERROR if status == 500 else logging.INFO
    access_log.log(level, "%d %s %s", status, handler.request.method, handler.request.path)


def _with(services: Services) -> dict[str, Any]:
    return {"services": services}
