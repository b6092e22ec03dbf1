"""The caller: the session, the page's token, and the origin of a request. Checked here and nowhere else."""

from __future__ import annotations

from typing import Any, ClassVar

from tornado.httputil import HTTPServerRequest
from tornado.web import Application, RequestHandler

from chatserver.accounts.sessions import Session
from chatserver.errors import SignInFirst
from chatserver.model.users import User
from chatserver.support.origin import Origin
from chatserver.web.caller.bodies import is_json, json_field
from chatserver.web.caller.cookies import Cookies
from chatserver.web.caller.csrf_tokens import CsrfTokens
from chatserver.web.caller.page_owner import check_user
from chatserver.web.caller.proxies import Proxies
from chatserver.web.caller.same_origin import SAFE_METHODS, check_origin, is_from_a_browser
from chatserver.web.http_parts import HttpParts
from chatserver.web.services import Services


class Asking(RequestHandler):
    """A request, with the session of its caller if there is one."""

    is_followed: ClassVar[bool] = False
    """Allows requests of an EventSource, which sets no headers: the address names the page's user."""

    session: Session | None = None

    def __init__(
        self, application: Application, request: HTTPServerRequest, services: Services, http: HttpParts
    ) -> None:
        self.services = services
        self.http = http
        super().__init__(application, request)  # which asks for the default headers

    async def ask_who(self) -> None:
        """Finds the session. Raises BadToken and SomebodyElse, before anything is done or revealed."""
        is_unsafe = self.request.method not in SAFE_METHODS
        if is_unsafe:
            check_origin(self.request, self.site)
        self.session = await self._find_session()
        if self.session is not None:
            check_user(self.request, self.session.user, query=self.is_followed)
            if is_unsafe:
                self._csrf_tokens.check(self._sent_token(), self.session.csrf_key)

    @property
    def site(self) -> Origin | None:
        """Our own address, if it is set."""
        return self.http.origin

    @property
    def user(self) -> User:
        """The signed-in user. Raises SignInFirst."""
        if self.session is None:
            raise SignInFirst
        return self.session.user

    async def start_session(self, user: User) -> None:
        """Signs the client in. Ends the session that it had before. Raises Unavailable."""
        csrf_key = self._csrf_key_that_goes_on()
        if self.session is not None:
            await self.services.sessions.end(self.session)
        token = await self.services.sessions.open(user, csrf_key)
        self._cookies.keep_session(self, token, **self._cookie_options())

    async def end_session(self) -> None:
        """Signs the client out. Raises SignInFirst, Unavailable."""
        if self.session is None:
            raise SignInFirst
        await self.services.sessions.end(self.session)
        self._cookies.drop_session(self, **self._cookie_options())

    def has_cookies(self) -> bool:
        """Returns True if the client sent a valid cookie of ours."""
        return self.session is not None or self._cookies.visitor_key(self) is not None

    async def _find_session(self) -> Session | None:
        proof = self._cookies.session_proof(self)
        session = None if proof is None else await self.services.sessions.find(proof.session_token)
        if proof is not None and proof.is_old and session is not None:
            self._cookies.keep_session(self, proof.session_token, **self._cookie_options())
        return session

    @property
    def _cookies(self) -> Cookies:
        return self.http.cookies

    def _cookie_options(self) -> dict[str, Any]:
        return {"httponly": True, "samesite": "Lax", "secure": self.is_https()}

    def is_https(self) -> bool:
        """Returns True if the browser uses HTTPS, even through a proxy."""
        return self._proxies.is_https(self.request)

    @property
    def address(self) -> str:
        """The client's address, for the security log and for quotas."""
        return self._proxies.address(self.request)

    @property
    def _proxies(self) -> Proxies:
        return self.http.proxies

    # The page's token

    def csrf_token(self) -> str:
        """Returns the token for a page's forms and scripts, and for clients without a page. A signed-out client gets a
        cookie with it."""
        if self.session is not None:
            return self._csrf_tokens.make(self.session.csrf_key)
        key = self._cookies.visitor_key(self) or self._cookies.make_visitor_key(self, **self._cookie_options())
        return self._csrf_tokens.make(key)

    def _csrf_key_that_goes_on(self) -> str | None:
        """Returns the key of the token that stays valid across a sign-in. A program keeps its token. In a browser each
        session gets a token of its own: earlier cookies may have been planted by an attacker, who knows the token that
        goes with them."""
        if is_from_a_browser(self.request):
            return None
        return self._cookies.visitor_key(self) if self.session is None else self.session.csrf_key

    def _sent_token(self) -> str | None:
        """Reads the token from any of the places that the contract allows."""
        for name in ("X-CSRF-Token", "X-XSRFToken"):
            if name in self.request.headers:
                return self.request.headers[name]
        if is_json(self.request):
            return json_field(self.request, "csrf_token")
        values = self.request.body_arguments.get("_xsrf", [b""])
        return values[-1].decode("utf-8", "replace")

    @property
    def _csrf_tokens(self) -> CsrfTokens:
        return self.http.csrf_tokens
