"""Sessions: who is signed in, and the end of that in every process.

A session is a row, found by the SHA-256 of the token that the cookie carries, so that a leaked database opens no
session and deleting the row ends one.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from chatserver.archive.database import Database, mongodb_errors_as_unavailable
from chatserver.errors import Unavailable
from chatserver.log.wakeups import Wakeups
from chatserver.model.events import timestamp
from chatserver.model.users import User
from chatserver.support.lookup_cache import LookupCache

SESSION_DAYS = 30
SESSION_CACHE_SIZE = 20_000
ENDED = "harbour:sessions-ended"
"""The channel on which processes tell each other the key of a session that is over."""


class Session(msgspec.Struct, frozen=True):
    """A signed-in user. `key` names the session and opens nothing. `csrf_key`: what its pages' tokens are made of."""

    key: str
    user: User
    csrf_key: str


class Sessions:
    def __init__(self, database: Database, wakeups: Wakeups) -> None:
        self._sessions = database.sessions
        self._wakeups = wakeups
        self._cache: LookupCache[str, Session] = LookupCache(
            self._find, lambda: wakeups.is_subscribed, SESSION_CACHE_SIZE
        )
        self._on_end: list[Callable[[str], None]] = []
        wakeups.subscribe(ENDED, self._hear)

    def on_end(self, ended: Callable[[str], None]) -> None:
        """Wants to be called with the key of each session that ends, in whatever process."""
        self._on_end.append(ended)

    async def open(self, user: User, csrf_key: str | None = None) -> str:
        """Returns the token that the browser keeps. It is stored nowhere else. `csrf_key`: what the client's token was
        made of before it signed in, if that one shall go on."""
        token = secrets.token_urlsafe(32)
        with mongodb_errors_as_unavailable():
            await self._sessions.insert_one(
                {
                    "_id": _key(token),
                    "user_id": user.id,
                    "user_name": user.name,
                    **({} if csrf_key is None else {"csrf_key": csrf_key}),
                    "created_at": timestamp(),
                    "expires_at": datetime.now(UTC) + timedelta(days=SESSION_DAYS),
                }
            )
        return token

    async def find(self, token: str) -> Session | None:
        """The session that the token opens; None if it ended, or never was."""
        return await self._cache.get(_key(token))

    async def end(self, session: Session) -> None:
        """Returns when no process can be talked into believing it any more, as far as they can be told."""
        with mongodb_errors_as_unavailable():
            await self._sessions.delete_one({"_id": session.key})
        self._forget(session.key)
        with contextlib.suppress(Unavailable):  # the others find out when they ask again
            await self._wakeups.publish(ENDED, session.key)

    async def still_open(self, keys: Sequence[str]) -> set[str]:
        """Which of these sessions are not over."""
        with mongodb_errors_as_unavailable():
            found = self._sessions.find(
                {"_id": {"$in": list(keys)}, "expires_at": {"$gt": datetime.now(UTC)}}, {"_id": 1}
            )
            return {row["_id"] async for row in found}

    async def _find(self, key: str) -> Session | None:
        with mongodb_errors_as_unavailable():
            row = await self._sessions.find_one({"_id": key, "expires_at": {"$gt": datetime.now(UTC)}})
        return None if row is None else Session(key, User(row["user_id"], row["user_name"]), row.get("csrf_key", key))

    def _hear(self, ended: bytes) -> None:
        self._forget(_read_key(ended))

    def _forget(self, key: str) -> None:
        self._cache.forget(key)
        for tell in self._on_end:
            tell(key)


def _key(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _read_key(data: bytes) -> str:
    """Raises ValueError for what is no key of a session."""
    if len(data) != hashlib.sha256().digest_size * 2:
        raise ValueError("not the key of a session")
    return bytes.fromhex(data.decode("ascii")).hex()
