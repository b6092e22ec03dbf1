"""Sessions: the signed-in users, and the end of a session in every process.

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
"""The channel on which processes publish the key of a session that has ended."""


class Session(msgspec.Struct, frozen=True):
    """A signed-in user. `key` names the session and opens nothing. `csrf_key`: the source of its pages' tokens."""

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
        wakeups.subscribe(ENDED, self._on_session_ended)

    def on_end(self, ended: Callable[[str], None]) -> None:
        """Registers a callback for the key of each session that ends, in any process."""
        self._on_end.append(ended)

    async def open(self, user: User, csrf_key: str | None = None) -> str:
        """Opens a session. Returns the token that the browser keeps; it is stored nowhere else. `csrf_key`: the source
        of the client's token from before it signed in, to keep that valid. Raises Unavailable."""
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
        """Returns the session that the token opens; None if it ended or never existed. Raises Unavailable."""
        return await self._cache.get(_key(token))

    async def end(self, session: Session) -> None:
        """Deletes the session and tells the other processes (best effort). Raises Unavailable."""
        with mongodb_errors_as_unavailable():
            await self._sessions.delete_one({"_id": session.key})
        self._forget(session.key)
        with contextlib.suppress(Unavailable):  # other processes notice when they look it up again
            await self._wakeups.publish(ENDED, session.key)

    async def still_open(self, keys: Sequence[str]) -> set[str]:
        """Returns the keys of those sessions that are still open. Raises Unavailable."""
        with mongodb_errors_as_unavailable():
            found = self._sessions.find(
                {"_id": {"$in": list(keys)}, "expires_at": {"$gt": datetime.now(UTC)}}, {"_id": 1}
            )
            return {row["_id"] async for row in found}

    async def _find(self, key: str) -> Session | None:
        with mongodb_errors_as_unavailable():
            row = await self._sessions.find_one({"_id": key, "expires_at": {"$gt": datetime.now(UTC)}})
        return None if row is None else Session(key, User(row["user_id"], row["user_name"]), row.get("csrf_key", key))

    def _on_session_ended(self, ended: bytes) -> None:
        self._forget(_read_key(ended))

    def _forget(self, key: str) -> None:
        self._cache.forget(key)
        for tell in self._on_end:
            tell(key)


def _key(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _read_key(data: bytes) -> str:
    """Raises ValueError for data that is no session key."""
    if len(data) != hashlib.sha256().digest_size * 2:
        raise ValueError("not the key of a session")
    return bytes.fromhex(data.decode("ascii")).hex()
