"""What the cookies of a request prove. It is worked out once: the same ones come with every request of a browser."""

from __future__ import annotations

from cachetools import LRUCache
from tornado.web import RequestHandler

from chatserver.sessions import SESSION_DAYS

SESSION_COOKIE = "session"

REMEMBERED = 10_000
LONGEST = 1_000
"""Browsers whose cookies are remembered, and characters of them; longer ones are read each time."""


class Cookies:
    """Reads the header `Cookie`. Parsing it and checking signatures would be a tenth of what a post costs."""

    def __init__(self) -> None:
        self._session_tokens: LRUCache[str, str] = LRUCache(REMEMBERED)
        self._matches: LRUCache[tuple[str, str], bool] = LRUCache(REMEMBERED)

    def session_token(self, handler: RequestHandler) -> str | None:
        """The token of the session's cookie; None if there is none, or if it was not signed here, or too long ago."""
        header = handler.request.headers.get("Cookie", "")
        token = self._session_tokens.get(header)
        if token is None and header:
            signed = handler.get_signed_cookie(SESSION_COOKIE, max_age_days=SESSION_DAYS)
            token = None if signed is None else signed.decode()
            if token is not None and len(header) <= LONGEST:
                self._session_tokens[header] = token
        return token

    def check_token(self, handler: RequestHandler, token: str) -> None:
        """Whether the page's token belongs to the cookies. Raises what Tornado's `check_xsrf_cookie` raises."""
        key = handler.request.headers.get("Cookie", ""), token
        if key not in self._matches:
            handler.request.headers["X-Csrftoken"] = token  # where Tornado looks for it
            handler.check_xsrf_cookie()
            if sum(map(len, key)) <= LONGEST:
                self._matches[key] = True
