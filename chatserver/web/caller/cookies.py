"""Our cookies: their names, and the session that those of a request prove."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any, NamedTuple

from cachetools import LRUCache
from tornado.web import RequestHandler

from chatserver.accounts.sessions import SESSION_DAYS

OLD_SESSION_COOKIE = "session"
"""The former name of the session's cookie. A client that has it stays signed in and gets the new one."""

COOKIE_CACHE_SIZE = 10_000
MAX_COOKIE_CHARACTERS = 1_000
"""Browsers whose cookies are cached, and the longest cached header, in characters; longer ones are read each time."""


class Proof(NamedTuple):
    """`is_old`: under the former name."""

    session_token: str
    is_old: bool


class Cookies:
    """Reads and sets our cookies. The header `Cookie` is parsed once: a browser sends the same one with every request.
    Parsing it and checking signatures would be a tenth of what a post costs.

    Browsers keep cookies by host and not by port. To keep two chats on one machine, and other programs there, from
    mixing up their cookies, the names end in a mark of the secret, which only the processes of one chat share.

    `host_only`: browsers take the cookies over HTTPS alone, and from this very host (`__Host-`).
    """

    def __init__(self, secret: str, *, host_only: bool) -> None:
        mark = hashlib.sha256(b"name of the cookies:" + secret.encode()).hexdigest()[:8]
        prefix = "__Host-" if host_only else ""
        self._host_only = host_only
        self._session = f"{prefix}harbour-session-{mark}"
        self._visitor = f"{prefix}harbour-visitor-{mark}"
        self._proofs: LRUCache[str, Proof] = LRUCache(COOKIE_CACHE_SIZE)

    def session_proof(self, handler: RequestHandler) -> Proof | None:
        """Returns the token in the session's cookie; None if it is missing, not signed here, or signed too long ago."""
        header = handler.request.headers.get("Cookie", "")
        proof = self._proofs.get(header)
        if proof is None and header:
            proof = self._read_proof(handler)
            if proof is not None and len(header) <= MAX_COOKIE_CHARACTERS:
                self._proofs[header] = proof
        return proof

    def keep_session(self, handler: RequestHandler, token: str, **options: Any) -> None:
        handler.set_signed_cookie(self._session, token, expires_days=SESSION_DAYS, **options)

    def drop_session(self, handler: RequestHandler, **options: Any) -> None:
        handler.clear_cookie(self._session, **options)

    def visitor_key(self, handler: RequestHandler) -> str | None:
        """Returns the key of a browser without a session; None if it sent none."""
        return _signed(handler, self._visitor)

    def make_visitor_key(self, handler: RequestHandler, **options: Any) -> str:
        """Makes a key, kept until the browser is closed."""
        key = secrets.token_urlsafe(24)
        handler.set_signed_cookie(self._visitor, key, expires_days=None, **options)
        return key

    def _read_proof(self, handler: RequestHandler) -> Proof | None:
        token = _signed(handler, self._session)
        if token is not None:
            return Proof(token, is_old=False)
        # Not beside `__Host-`: any neighbour in the domain can set a cookie of the old name.
        token = None if self._host_only else _signed(handler, OLD_SESSION_COOKIE)
        return None if token is None else Proof(token, is_old=True)


def _signed(handler: RequestHandler, name: str) -> str | None:
    value = handler.get_signed_cookie(name, max_age_days=SESSION_DAYS, min_version=2)
    return None if value is None else value.decode("utf-8", "replace")
