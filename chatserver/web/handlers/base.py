"""The base of all handlers: the session, the page's token, quotas, and the form of errors."""

from __future__ import annotations

import logging
import unicodedata
from asyncio import Future
from collections.abc import Awaitable, Mapping, Sequence
from http import HTTPStatus
from types import TracebackType
from typing import Any, ClassVar, cast
from urllib.parse import quote

import msgspec
from tornado.http1connection import HTTP1Connection
from tornado.web import HTTPError, RequestHandler

from chatserver.accounts.sessions import Session
from chatserver.errors import ChatError, RoomNotFound, SignInFirst, TooMany, Unavailable
from chatserver.model import message_classes
from chatserver.model.client_ids import fresh_client_id, is_client_id
from chatserver.quotas.quotas import Quota, counted_as
from chatserver.support.client_address import network
from chatserver.web.caller.bodies import is_form, is_json
from chatserver.web.handlers.answering import Answering
from chatserver.web.handlers.metering import metered
from chatserver.web.handlers.security_headers import HTTPS_ONLY
from chatserver.web.transport.lingering_close import close_behind
from chatserver.web.transport.workload import Who

_TURN = frozenset({"R", "AL", "AN", "RLE", "RLO", "RLI", "LRE", "LRO", "LRI", "FSI", "PDF", "PDI"})
"""Unicode's bidirectional classes of characters that are read from right to left, or that change the direction."""

log = logging.getLogger("chatserver.http")


class Handler(Answering):
    """A handler whose verbs need a session, unless it is `open_to_all`."""

    open_to_all: ClassVar[bool] = False

    quotas: ClassVar[Mapping[str, Sequence[Quota]]] = counted_as()
    """By method, the quotas that a signed-in user's request counts for. HEAD counts as GET."""

    counts_in_all: ClassVar[bool] = True
    """Refused if a process has too much to do. Posts and streams have bounds of their own."""

    methods: ClassVar[Sequence[str]] = ()
    """The methods that it answers."""

    _payer: Who | None = None
    _unpaid = 0.0

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "get" in cls.__dict__ and "head" not in cls.__dict__:
            cls.head = cls.get  # Tornado leaves the body out
        cls.methods = [
            method
            for method in cls.SUPPORTED_METHODS
            if getattr(cls, method.lower()) is not getattr(RequestHandler, method.lower())
        ]

    def clear(self) -> None:
        """Begins the answer anew, as Tornado does, with headers that are ready (`default_headers.py`)."""
        self._headers = self.http.default_headers.fresh()
        if self.site is not None and self.site.is_https and self.is_https():
            self.set_header("Strict-Transport-Security", HTTPS_ONLY)
        self._write_buffer = []
        self.set_status(200)

    async def prepare(self) -> None:
        self.services.in_flight.enter(self)
        if self.services.health.draining:
            self.set_header("Connection", "close")  # so that the next request goes to another process
        self._refuse_unknown_method()
        if self.counts_in_all:
            await self.services.workload.begin(self)
        try:
            await self.ask_who()
            if self.session is None and not self.open_to_all:
                raise SignInFirst
        except Unavailable:
            raise
        except ChatError:
            await self.take_turn()  # a refusal takes time too
            raise
        try:
            await self.take_turn()
            if self.session is not None:
                await self._hold_to_quotas(self.session)
        except TooMany as error:
            await self.refuse(error)
        await self.take_place()

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> Future[None]:
        """Also ends the connection if the answer says so: Tornado would continue with the next request."""
        sent = super().finish(chunk)
        if self._headers.get("Connection") == "close":
            close_behind(cast("HTTP1Connection", self.request.connection), sent)
        return sent

    def on_finish(self) -> None:
        self.services.in_flight.leave(self)
        self.services.workload.end(self)

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self.services.in_flight.leave(self)

    # Quotas

    async def take_turn(self) -> None:
        """Returns when the caller may have more of the process's time. Raises TooMany and Unavailable."""
        self._payer = self.session.user.id if self.session is not None else network(self.address)
        await self.services.workload.turn(self, self._payer)

    async def _execute(self, *args: Any, **kwargs: Any) -> None:
        await metered(super()._execute(*args, **kwargs), self._took)

    def _took(self, seconds: float) -> None:
        """Charges a step of the request. Steps before the caller is known are charged together with the next."""
        self._unpaid += seconds
        if self._payer is not None:
            self.services.workload.charge(self._payer, self._unpaid)
            self._unpaid = 0.0

    async def _hold_to_quotas(self, session: Session) -> None:
        method = "GET" if self.request.method == "HEAD" else str(self.request.method)
        for quota in self.quotas.get(method, ()):
            await self.services.limiter.spend(quota, str(session.user.id), self.cost())

    def cost(self) -> int:
        """Returns the amount that the request takes of its quotas."""
        return 1

    async def refuse(self, error: TooMany) -> None:
        """Answers a request over a quota, in place of the method. A form shows its text again."""
        raise error

    # Answers

    def write_json(self, status: int, body: Any) -> None:
        """Writes JSON. `body`: anything msgspec encodes, or JSON as bytes."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.write(body if isinstance(body, bytes) else msgspec.json.encode(body))

    def see_other(self, path: str) -> None:
        """Redirects with 303 after a form was accepted."""
        self.redirect(path, status=303)

    def render_page(self, template: str, *, status: int = 200, **context: Any) -> None:
        """Renders a page. Every page gets the signed-in user and the token that its forms and scripts send back."""
        self.set_status(status)
        always: dict[str, Any] = {
            "user": self.session.user if self.session else None,
            "rooms": [],
            "room": None,
            "status": status,
            "initials": initials,
            "isolated": isolated,
            "as_sentence": as_sentence,
            "message_classes": message_classes.classes,
            "look_of": message_classes.look_of,
            "client_id": fresh_client_id(),
            "static": self.http.static_files.address,
            "xsrf_token": self.csrf_token() if self.session else "",
        }
        self.render(template, **always | context)

    def wants_page(self) -> bool:
        """Returns True for a browser, False for a program."""
        return "text/html" in self.request.headers.get("Accept", "") and not is_json(self.request)

    def compute_etag(self) -> str | None:
        """Returns a weak tag: the same answer has other bytes under gzip."""
        tag = super().compute_etag()
        return None if tag is None else f"W/{tag}"

    def is_form(self) -> bool:
        return is_form(self.request)

    def client_id_of_form(self) -> str:
        """Returns the client id of a form that is shown again: it keeps its own, so that a repeat is done once."""
        given = self.get_body_argument("client_id", "")
        return given if is_client_id(given) else fresh_client_id()

    def next_path(self, default: str = "/chat") -> str:
        """Returns the path to go to after signing in: one of this site, whatever was sent."""
        path = self.get_argument("next", default)
        # Browsers take a backslash for a slash, drop tabs and line ends, and read //host and ///host as a host.
        as_read = path.replace("\\", "/")
        is_ours = as_read.startswith("/") and not as_read.startswith("//") and path.isprintable()
        return path if is_ours else default

    def sign_in_path(self) -> str:
        return f"/sign-in?next={quote(self.request.uri or '/chat', safe='')}"

    # Errors

    def note_refusal(self, error: ChatError) -> None:
        """Passes a refusal on to the security log, if it concerns it."""
        who = None if self.session is None else self.session.user.id
        if error.refusal is not None:
            self.services.security_log.refused(error.refusal, self.address, user_id=who)
        if isinstance(error, TooMany):
            self.services.security_log.limited(error.what, self.address, user_id=who)

    def say_when(self, error: ChatError) -> None:
        """Tells a client when to come again, if that may help."""
        if error.retry_after is not None:
            self.set_header("Retry-After", str(error.retry_after))

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        super().send_error(error.status if isinstance(error, ChatError) else status_code, **kwargs)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        text = HTTPStatus(status_code).phrase.lower()
        if isinstance(error, ChatError):
            text = error.text
            self.say_when(error)
        if status_code == 405:
            self.set_header("Allow", ", ".join(self.methods))
        if self.wants_page():
            self.render_page("error.html", status=status_code, message=text)
        else:
            self.write_json(status_code, {"error": text})

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Errors raised on purpose are answers and leave no trace here; unavailable parts get a line."""
        if isinstance(value, ChatError):
            self.note_refusal(value)
            if value.status >= 500:
                log.warning("%s %s: %s", self.request.method, self.request.path, value.__cause__ or value)
        else:
            super().log_exception(typ, value, tb)

    def _refuse_unknown_method(self) -> None:
        # Before the checks of session and token: neither would help.
        if self.request.method not in self.methods:
            raise HTTPError(405)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        raise NotImplementedError  # no handler here takes its body in pieces


def room_number(text: str) -> int:
    """Returns the room's id. Raises RoomNotFound for a text that is no number."""
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise RoomNotFound
    return int(text)


def initials(name: str) -> str:
    """Returns up to two letters that stand for a name in a small space."""
    return "".join(word[0] for word in name.split()[:2]).upper()


def isolated(name: str) -> str:
    """Isolates a name within plain text, so that it does not turn the text beside it (as support/texts.js)."""
    turns = any(unicodedata.bidirectional(character) in _TURN for character in name)
    return f"\u2068{name}\u2069" if turns else name


def as_sentence(text: str) -> str:
    """Returns an error's text as a sentence (as support/texts.js)."""
    return f"{text[:1].upper()}{text[1:]}."


class UnknownPath(Handler):
    """Answers 404 for every path without a route."""

    open_to_all = True

    async def prepare(self) -> None:
        self.session = await self._find_session()
        await self.take_turn()
        raise HTTPError(404)
