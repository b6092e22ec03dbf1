"""Signing up, in and out; the page's token for clients without a page."""

from __future__ import annotations

import msgspec

from chatserver.errors import ChatError, WrongPassword
from chatserver.model.users import User
from chatserver.web.caller.bodies import read_body
from chatserver.web.handlers.base import Handler

CLEARED = '"cache"'
"""The browser drops this on sign-out: pages that an earlier release let it keep. Not "storage", which may hold unsent
words of another user of this browser: each page removes its own user's."""

NO_COOKIES = "this browser sends no cookies back, and without them nobody stays signed in. Allow them for this site"


class Credentials(msgspec.Struct):
    name: str
    password: str
    client_id: str | None = None


class _CredentialsHandler(Handler):
    """Accepts a name and a password, as a form or as JSON."""

    open_to_all = True
    template: str
    success_status: int

    async def get(self) -> None:
        if self.session is not None:
            self.redirect(self.next_path())
            return
        self._show_form()

    async def post(self) -> None:
        if self._is_form_without_its_cookie():
            self._show_form(status=403, error=NO_COOKIES)
            return
        try:
            credentials = read_body(self.request, Credentials, "name and password required")
            user = await self.accept(credentials)
            await self.start_session(user)
        except ChatError as error:
            if not self.is_form():
                raise
            self.note_refusal(error)
            self.say_when(error)
            self._show_form(status=error.status, error=error.text)
            return
        if self.is_form():
            self.see_other(self.next_path())
        else:
            self.write_json(self.success_status, {"user": user})

    async def accept(self, credentials: Credentials) -> User:
        raise NotImplementedError

    def _is_form_without_its_cookie(self) -> bool:
        """Returns True if a form of ours comes without its cookie: then the session's would not come back either."""
        return self.is_form() and "_xsrf" in self.request.body_arguments and not self.has_cookies()

    def _show_form(self, *, status: int = 200, error: str | None = None) -> None:
        name = self.get_body_argument("name", "") if self.is_form() else ""
        # A user who was sent here may have just signed in, in a browser that keeps nothing.
        speaks_of_cookies = "next" in self.request.query_arguments and not self.has_cookies()
        self.render_page(
            self.template,
            status=status,
            error=error,
            name=name,
            next=self.next_path(),
            xsrf_token=self.csrf_token(),
            client_id=self.client_id_of_form(),
            speaks_of_cookies=speaks_of_cookies,
        )


class SignUp(_CredentialsHandler):
    template = "sign_up.html"
    success_status = 201

    async def accept(self, credentials: Credentials) -> User:
        user = await self.services.accounts.sign_up(
            credentials.name, credentials.password, self.address, credentials.client_id
        )
        self.services.security_log.signed_up(user.id, self.address)
        return user


class SignIn(_CredentialsHandler):
    template = "sign_in.html"
    success_status = 200

    async def accept(self, credentials: Credentials) -> User:
        try:
            user = await self.services.accounts.sign_in(credentials.name, credentials.password, self.address)
        except WrongPassword:
            self.services.security_log.sign_in_failed(credentials.name, self.address)
            raise
        self.services.security_log.signed_in(user.id, self.address)
        return user


class SignOut(Handler):
    async def post(self) -> None:
        await self.end_session()
        self.services.security_log.session_ended(self.user.id, self.address)
        self.set_header("Clear-Site-Data", CLEARED)
        if self.is_form():
            self.see_other("/sign-in")
        else:
            self.set_status(204)


class CsrfToken(Handler):
    """A token for clients without a page: that of the session, or else one that matches the cookie in its answer."""

    open_to_all = True

    async def get(self) -> None:
        self.write_json(200, {"csrf_token": self.csrf_token()})
