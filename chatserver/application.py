"""The routes, and what holds for every request: static files, the limit on bodies, unknown paths."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any

from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, HTTPServerRequest, RequestStartLine, ResponseStartLine
from tornado.web import Application, RequestHandler, StaticFileHandler

from chatserver.errors import NotFound, TooLarge
from chatserver.handlers import accounts, health, messages, pages, rooms, stream
from chatserver.handlers.base import Handler, UnknownPath
from chatserver.services import Services

ROOT = Path(__file__).resolve().parent.parent
MAX_BODY = 64 * 1024
READ_AWAY = 16 * 1024 * 1024
"""Bytes of a refused body that are read before the connection is closed."""

access_log = logging.getLogger("chatserver.access")


class ChatApplication(Application):
    """Tornado's application with the routes of API.md."""

    def __init__(self, services: Services, cookie_secret: str) -> None:
        static = ROOT / "static"
        version = fingerprint(static)
        super().__init__(
            [
                (r"/", pages.Home, _with(services)),
                (r"/chat", pages.RoomsPage, _with(services)),
                (r"/chat/stream", stream.StreamHandler, _with(services)),
                (r"/chat/([^/]+)", pages.RoomPage, _with(services)),
                (r"/sign-up", accounts.SignUp, _with(services)),
                (r"/sign-in", accounts.SignIn, _with(services)),
                (r"/sign-out", accounts.SignOut, _with(services)),
                (r"/csrf", accounts.CsrfToken, _with(services)),
                (r"/rooms", rooms.RoomsHandler, _with(services)),
                (r"/rooms/([^/]+)", rooms.RoomHandler, _with(services)),
                (r"/rooms/([^/]+)/messages", messages.RoomMessagesHandler, _with(services)),
                (r"/messages", messages.MessagesHandler, _with(services)),
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
            xsrf_cookie_kwargs={"httponly": True, "samesite": "Lax"},
            log_function=log_request,
            static_path_of=lambda path: f"/static/v-{version}/{path}",
        )
        self._services = services

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        refusal = self.get_handler_delegate(request, BodyTooLarge, _with(self._services))
        return BodyLimit(super().find_handler(request, **kwargs), refusal)


class BodyLimit(HTTPMessageDelegate):
    """Lets a request through to its handler as long as its body is within MAX_BODY; otherwise it is refused with 413.

    The rest of a refused body is read and thrown away, so that the client gets to read the answer; but one that is
    over READ_AWAY is refused at once.
    """

    def __init__(self, handler: HTTPMessageDelegate, refusal: HTTPMessageDelegate) -> None:
        self._handler = handler
        self._refusal = refusal
        self._received = 0
        self._finished = False

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> Any:
        self._head = start_line, headers
        length = _announced(headers)
        if length > MAX_BODY:
            self._handler = self._refusal
        future = self._handler.headers_received(start_line, headers)
        if length > READ_AWAY:
            self.finish()
        return future

    def data_received(self, chunk: bytes) -> Any:
        self._received += len(chunk)
        if self._received > MAX_BODY and self._handler is not self._refusal:
            self._handler = self._refusal
            self._handler.headers_received(*self._head)
        if self._received > READ_AWAY:
            self.finish()
        return None if self._handler is self._refusal else self._handler.data_received(chunk)

    def finish(self) -> None:
        if not self._finished:
            self._finished = True
            self._handler.finish()

    def on_connection_close(self) -> None:
        self._handler.on_connection_close()


def _announced(headers: HTTPHeaders) -> int:
    """The length that a body shall have. What is no length is Tornado's to refuse."""
    text = headers.get("Content-Length", "0")
    return int(text[:18]) if text.isascii() and text.isdigit() else 0


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
