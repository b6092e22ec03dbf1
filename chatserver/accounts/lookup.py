"""People by their names: asked for together, and remembered for a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

from cachetools import TTLCache

from chatserver.archive.database import Database, mongodb_errors_as_unavailable
from chatserver.errors import Unavailable
from chatserver.model.users import User
from chatserver.support.group_commit import GroupCommit

USER_CACHE_SIZE = 20_000
"""Names, those among them that nobody has (about 200 bytes each)."""

FRESH_SECONDS = 5.0
"""How long it is believed that nobody has a name: who signs up is found this much later at worst. A name that somebody
has stays theirs, so that is only asked again to keep what is remembered small."""

PATIENCE_SECONDS = 1.0
"""How long those wait who can do without an answer. An election takes longer, but then a secondary answers."""


class UserLookup:
    def __init__(self, database: Database) -> None:
        self._users = database.users_anywhere
        self._look_ups: GroupCommit[frozenset[str], dict[str, User]] = GroupCommit(self._find_all)
        self._cache: TTLCache[str, User | None] = TTLCache(USER_CACHE_SIZE, FRESH_SECONDS)

    async def find(self, keys: Collection[str]) -> dict[str, User]:
        """Those whose names have these keys (see `name_key`), by key: one look-up, which who asks at the same time
        shares. Raises Unavailable."""
        known: dict[str, User | None] = {}
        for key in keys:
            if key in self._cache:
                known[key] = self._cache.get(key)
        missing = frozenset(keys).difference(known)
        found = {key: user for key, user in known.items() if user is not None}
        return found | await self._look_ups.submit(missing) if missing else found

    async def find_now(self, keys: Collection[str]) -> dict[str, User]:
        """The same, and nobody where there is no answer in a moment."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self.find(keys)
        except (Unavailable, TimeoutError):
            return {}

    async def close(self) -> None:
        """Returns when everything that was asked is answered."""
        await self._look_ups.join()

    async def _find_all(self, wanted: Sequence[frozenset[str]]) -> Sequence[dict[str, User]]:
        keys = frozenset[str]().union(*wanted)
        with mongodb_errors_as_unavailable():
            documents = self._users.find({"key": {"$in": list(keys)}}, {"name": 1, "key": 1})
            found = {each["key"]: User(each["_id"], each["name"]) async for each in documents}
        for key in keys:
            self._cache[key] = found.get(key)
        return [{key: found[key] for key in each if key in found} for each in wanted]
