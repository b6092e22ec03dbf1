"""User look-up by name: requests share one query, and answers are cached for a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

from cachetools import TTLCache

from chatserver.archive.database import Database, mongodb_errors_as_unavailable
from chatserver.errors import Unavailable
from chatserver.model.users import User
from chatserver.support.group_commit import GroupCommit

USER_CACHE_SIZE = 20_000
"""Names, unknown ones too (about 200 bytes each)."""

FRESH_SECONDS = 5.0
"""How long an answer is cached. A new user is found this much later at worst. A known name stays its user's, so that
expires only to keep the cache small."""

PATIENCE_SECONDS = 1.0
"""Longest wait of a caller that can do without an answer. An election takes longer, but then a secondary answers."""


class UserLookup:
    def __init__(self, database: Database) -> None:
        self._users = database.users_anywhere
        self._look_ups: GroupCommit[frozenset[str], dict[str, User]] = GroupCommit(self._find_all)
        self._cache: TTLCache[str, User | None] = TTLCache(USER_CACHE_SIZE, FRESH_SECONDS)

    async def find(self, keys: Collection[str]) -> dict[str, User]:
        """Returns the users whose names have these keys (see `name_key`), by key. Concurrent calls share one query.
        Raises Unavailable."""
        known: dict[str, User | None] = {}
        for key in keys:
            if key in self._cache:
                known[key] = self._cache.get(key)
        missing = frozenset(keys).difference(known)
        found = {key: user for key, user in known.items() if user is not None}
        return found | await self._look_ups.submit(missing) if missing else found

    async def find_now(self, keys: Collection[str]) -> dict[str, User]:
        """Like `find`, but returns no users if there is no answer within PATIENCE_SECONDS."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self.find(keys)
        except (Unavailable, TimeoutError):
            return {}

    async def close(self) -> None:
        """Returns when every query is answered."""
        await self._look_ups.join()

    async def _find_all(self, wanted: Sequence[frozenset[str]]) -> Sequence[dict[str, User]]:
        keys = frozenset[str]().union(*wanted)
        with mongodb_errors_as_unavailable():
            documents = self._users.find({"key": {"$in": list(keys)}}, {"name": 1, "key": 1})
            found = {each["key"]: User(each["_id"], each["name"]) async for each in documents}
        for key in keys:
            self._cache[key] = found.get(key)
        return [{key: found[key] for key in each if key in found} for each in wanted]
