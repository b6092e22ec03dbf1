"""Accounts: signing up and signing in.

A password is kept as an Argon2id hash (`hashing.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Awaitable, Callable

from pymongo.errors import DuplicateKeyError

from chatserver.accounts.first_cursors import Beginning, beginning_document
from chatserver.accounts.guess_limits import Guesses
from chatserver.accounts.hashing import Hashing
from chatserver.accounts.passwords import LONGEST, check_password
from chatserver.archive.database import Database, Document, is_about_skeleton, mongodb_errors_as_unavailable
from chatserver.errors import Invalid, Taken, TooMany, Unavailable, WrongPassword
from chatserver.model.client_ids import check_client_id
from chatserver.model.display_names import MAX_USER_NAME, clean_name_of_person, name_key, one_spaced
from chatserver.model.events import timestamp
from chatserver.model.lookalikes import skeletons
from chatserver.model.reserved_names import is_reserved
from chatserver.model.users import User
from chatserver.quotas.limiter import Limiter
from chatserver.quotas.quotas import SESSIONS, SIGNING_UP
from chatserver.support.client_address import network

WRONG_TAKES_SECONDS = 0.5
"""A wrong password is answered after this time, or a multiple of it, whatever work was done. Hashes of older releases
take longer to verify than new ones: that would reveal that the user exists."""


class Accounts:
    """`address` is always the client's."""

    def __init__(
        self, database: Database, begin: Callable[[], Awaitable[Beginning]], hashing: Hashing, limiter: Limiter
    ) -> None:
        """`begin` returns the position of a new user in the rooms' logs."""
        self._database = database
        self._begin = begin
        self._hashing = hashing
        self._limiter = limiter
        self._guesses = Guesses(limiter)
        # Verified against for unknown names, so that they take as much work as known ones.
        self._nobody: str | None = None

    async def sign_up(self, name: str, password: str, address: str, client_id: str | None = None) -> User:
        """Makes a user. A repeat under the same client id and with the same password returns the same user.

        Raises Invalid for a name or password that breaks the rules, Taken for a name in use or one that looks like it,
        TooMany above the quota of an address.
        """
        check_client_id(client_id)
        name = clean_name_of_person(name, MAX_USER_NAME)
        if is_reserved(name):
            raise Invalid("that name is reserved")
        check_password(password, name)
        place = network(address)
        if (there := await self._find(name)) is not None:
            return await self._same_sign_up(there, password, client_id, place)
        await self._limiter.spend(SIGNING_UP, place)
        password_hash = await self._hashing.hash(password, place)
        beginning = await self._begin()
        user = User(await self._database.next_number("users"), name)
        with mongodb_errors_as_unavailable():
            try:
                await self._database.users.insert_one(
                    {
                        "_id": user.id,
                        "name": name,
                        "key": name_key(name),
                        "looks": skeletons(name),
                        "password": password_hash,
                        "created_at": timestamp(),
                        "begins": beginning_document(beginning),
                        "client_id": client_id,
                    }
                )
            except DuplicateKeyError as error:
                there = await self._find(name)
                if there is None:
                    raise Taken("that name looks like somebody else's" if is_about_skeleton(error) else None) from None
                return await self._same_sign_up(there, password, client_id, place)
        return user

    async def sign_in(self, name: str, password: str, address: str) -> User:
        """Returns the user. Raises WrongPassword, after the same work and time, for a wrong password and for an unknown
        name; TooMany if passwords were guessed, or above the quota of sessions."""
        place, began = network(address), time.monotonic()
        async with self._guesses.one(name, place) as guess:
            document = await self._find(name.strip()) or await self._find(one_spaced(name))
            password_hash = await self._hash_of_nobody(place) if document is None else document["password"]
            is_right = await self._hashing.is_right(password_hash, password[:LONGEST], place)
            guess.was_right = document is not None and is_right and len(password) <= LONGEST
        if document is None or not guess.was_right:
            await asyncio.sleep(-(time.monotonic() - began) % WRONG_TAKES_SECONDS)
            raise WrongPassword
        await self._limiter.spend(SESSIONS, str(document["_id"]))
        if self._hashing.is_old(document["password"]):
            await self._hash_anew(document, password, place)
        return User(document["_id"], document["name"])

    async def _hash_of_nobody(self, place: str) -> str:
        if self._nobody is None:
            self._nobody = await self._hashing.hash(secrets.token_hex(), place)
        return self._nobody

    async def _hash_anew(self, document: Document, password: str, place: str) -> None:
        """Stores a hash with today's parameters. If that fails now, the next sign-in does it."""
        with contextlib.suppress(Unavailable, TooMany):
            password_hash = await self._hashing.hash(password, place)
            with mongodb_errors_as_unavailable():
                await self._database.users.update_one(
                    {"_id": document["_id"], "password": document["password"]}, {"$set": {"password": password_hash}}
                )

    async def _same_sign_up(self, there: Document, password: str, client_id: str | None, place: str) -> User:
        """Returns the user of a repeated sign-up. Raises Taken if it is another user's: without the client id, which
        only the page that signed up knows, passwords can't be tried here."""
        is_same = client_id is not None and there.get("client_id") == client_id
        if not is_same:
            raise Taken
        await self._limiter.spend(SIGNING_UP, place)
        if not await self._hashing.is_right(there["password"], password, place):
            raise Taken
        return User(there["_id"], there["name"])

    async def _find(self, name: str) -> Document | None:
        with mongodb_errors_as_unavailable():
            return await self._database.users.find_one({"key": name_key(name)})
