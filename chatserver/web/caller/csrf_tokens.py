"""The page's token: proof that the sender of a request could read a page of this session."""

from __future__ import annotations

import hmac

from cachetools import LRUCache
from tornado.web import create_signed_value, decode_signed_value

from chatserver.accounts.sessions import SESSION_DAYS
from chatserver.errors import BadToken

PURPOSE = "csrf"

TOKEN_CACHE_SIZE = 10_000
MAX_TOKEN_CHARACTERS = 1_000
"""Tokens that are cached as right, and the longest cached token, in characters; others are checked each time."""


class CsrfTokens:
    """Signs a key that belongs to a session (`Session.csrf_key`), with the time: no two pages have the same bytes, so
    their compressed sizes reveal nothing about them (BREACH)."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._right: LRUCache[tuple[str, str], bool] = LRUCache(TOKEN_CACHE_SIZE)

    def make(self, key: str) -> str:
        return create_signed_value(self._secret, PURPOSE, key).decode()

    def check(self, token: str | None, key: str) -> None:
        """Raises BadToken. Caches right tokens: the same pair comes with every request of a page."""
        if token is None:
            raise BadToken
        if (token, key) in self._right:
            return
        signed = decode_signed_value(self._secret, PURPOSE, token, max_age_days=SESSION_DAYS, min_version=2)
        if signed is None or not hmac.compare_digest(signed, key.encode()):
            raise BadToken
        if len(token) <= MAX_TOKEN_CHARACTERS:
            self._right[token, key] = True
