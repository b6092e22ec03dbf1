"""Signing up, in and out; the page's token for clients without a page."""

from __future__ import annotations

import msgspec

from chatserver.accounts import User
from chatserver.errors import ChatError, WrongPassword
from chatserver.handlers.base import Handler
from chatserver.handlers.bodies import read_body
from chatserver.handlers.cookies import SESSION_COOKIE


class Credentials(msgspec.Struct):
    name: str
    password: str
    client_id: str | None = None


class _CredentialsHandler(Handler):
    """A form with a name and a password, and the same as JSON."""

    open_to_all = True
    template: str
    success_status: int

    async def get(self) -> None:
        if self.session is not None:
            self.redirect(self.next_path())
            return
        self._show_form()

    async def head(self) -> None:
        await self.get()

    async def post(self) -> None:
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

    def _show_form(self, *, status: int = 200, error: str | None = None) -> None:
        name = self.get_body_argument("name", "") if self.is_form() else ""
        client_id = self.client_id_of_form()
        self.page(self.template, status=status, error=error, name=name, next=self.next_path(), client_id=client_id)


class SignUp(_CredentialsHandler):
    template = "sign_up.html"
    success_status = 201

    async def accept(self, credentials: Credentials) -> User:
        user = await self.services.accounts.sign_up(credentials.name, credentials.password, credentials.client_id)
        self.services.security_log.signed_up(user.id, self.address)
        return user


class SignIn(_CredentialsHandler):
    template = "sign_in.html"
    success_status = 200

    async def accept(self, credentials: Credentials) -> User:
        try:
            user = await self.services.accounts.sign_in(credentials.name, credentials.password)
        except WrongPassword:
            self.services.security_log.sign_in_failed(credentials.name, self.address)
            raise
        self.services.security_log.signed_in(user.id, self.address)
        return user


class SignOut(Handler):
    async def post(self) -> None:
        assert self.session is not None
        await self.services.sessions.end(self.session)
        self.services.security_log.session_ended(self.user.id, self.address)
        self.clear_cookie(SESSION_COOKIE)
        if self.is_form():
            self.see_other("/sign-in")
        else:
            self.set_status(204)


class CsrfToken(Handler):
    """The token that the cookie `_xsrf` must be sent together with."""

    open_to_all = True

    async def get(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.write_json(200, {"csrf_token": self.xsrf_token.decode()})
