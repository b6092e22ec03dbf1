"""The base of all handlers: what a request passes before its method, what it counts for, and what its forms bring."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, ClassVar, cast
from urllib.parse import quote

from tornado.http1connection import HTTP1Connection
from tornado.web import HTTPError, RequestHandler

from chatserver.accounts.sessions import Session
from chatserver.errors import ChatError, RoomNotFound, SignInFirst, TooMany, Unavailable
from chatserver.model.client_ids import fresh_client_id, is_client_id
from chatserver.quotas.quotas import Quota, counted_as
from chatserver.support.client_address import network
from chatserver.web.caller.bodies import is_form
from chatserver.web.handlers.error_responses import ErrorResponses
from chatserver.web.handlers.metering import metered
from chatserver.web.transport.lingering_close import close_behind
from chatserver.web.transport.workload import Who


class Handler(ErrorResponses):
    """A handler whose verbs need a session, unless it is `open_to_all`."""

    open_to_all: ClassVar[bool] = False

    quotas: ClassVar[Mapping[str, Sequence[Quota]]] = counted_as()
    """By method, the quotas that a signed-in user's request counts for. HEAD counts as GET."""

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

    async def prepare(self) -> None:
        self.services.in_flight.enter(self)
        if self.services.health.draining:
            self.set_header("Connection", "close")  # so that the next request goes to another process
        self._refuse_unknown_method()
        await self.begin()
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

    async def begin(self) -> None:
        """Returns when the process has room for the request. Raises Unavailable."""
        await self.services.workload.begin(self)

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

    # Forms

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

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        raise NotImplementedError  # no handler here takes its body in pieces

    def _refuse_unknown_method(self) -> None:
        # Before the checks of session and token: neither would help.
        if self.request.method not in self.methods:
            raise HTTPError(405)


def room_number(text: str) -> int:
    """Returns the room's id. Raises RoomNotFound for a text that is no number."""
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise RoomNotFound
    return int(text)
