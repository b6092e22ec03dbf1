"""Accounts: who somebody is, and how they prove it.

A password is kept as an Argon2id hash (argon2-cffi, its defaults: RFC 9106's second recommendation).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pymongo.errors import DuplicateKeyError

from chatserver.beginnings import Beginning, beginning_document
from chatserver.client_ids import check_client_id
from chatserver.database import Database, Document, is_about_looks, reaching_mongodb
from chatserver.errors import Invalid, Taken, Unavailable, WrongPassword
from chatserver.events import timestamp
from chatserver.lookalikes import looks
from chatserver.names import clean_name_of_person, name_key, one_spaced
from chatserver.reserved_names import is_reserved

MAX_NAME = 64
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 1_000
"""Characters. Argon2 takes far more; this bounds what one request may ask it to chew."""

HASHING_THREADS = 2
"""A hash takes 64 MiB and some 30 ms of four lanes: more at once only makes all of them late."""

HASHING_QUEUE = 100
"""Sign-ins that may wait for a thread; the next one gets 503 and may try again."""

Hashed = TypeVar("Hashed")


class User(msgspec.Struct, frozen=True):
    id: int
    name: str


class Accounts:
    def __init__(self, database: Database, begin: Callable[[], Awaitable[Beginning]]) -> None:
        """`begin`: where in the rooms' logs somebody new stands."""
        self._database = database
        self._begin = begin
        self._hasher = PasswordHasher()
        self._threads = ThreadPoolExecutor(HASHING_THREADS, thread_name_prefix="argon2")
        self._hashing = 0
        # Verified against for unknown names, so that they take as long as known ones.
        self._nobody = self._hasher.hash(secrets.token_hex())

    async def sign_up(self, name: str, password: str, client_id: str | None = None) -> User:
        """Signed up twice under the same client id, with the same password, it is the same user.

        Raises Invalid for a name or password that breaks the rules, Taken for a name in use, or that looks like one.
        """
        check_client_id(client_id)
        name = clean_name_of_person(name, MAX_NAME)
        if is_reserved(name):
            raise Invalid("that name is reserved")
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise Invalid(f"a password has at least {SHORTEST_PASSWORD} characters")
        if (there := await self._find(name)) is not None:
            return await self._same_sign_up(there, password, client_id)
        password_hash = await self._in_thread(partial(self._hasher.hash, password))
        beginning = await self._begin()
        user = User(await self._database.next_number("users"), name)
        with reaching_mongodb():
            try:
                await self._database.users.insert_one(
                    {
                        "_id": user.id,
                        "name": name,
                        "key": name_key(name),
                        "looks": looks(name),
                        "password": password_hash,
                        "created_at": timestamp(),
                        "begins": beginning_document(beginning),
                        "client_id": client_id,
                    }
                )
            except DuplicateKeyError as error:
                there = await self._find(name)
                if there is None:
                    raise Taken("that name looks like somebody else's" if is_about_looks(error) else None) from None
                return await self._same_sign_up(there, password, client_id)
        return user

    async def sign_in(self, name: str, password: str) -> User:
        """Raises WrongPassword, after the same work, for a wrong password and for an unknown name."""
        document = await self._find(name.strip()) or await self._find(one_spaced(name))
        password_hash = self._nobody if document is None else document["password"]
        right = await self._in_thread(partial(self._verify, password_hash, password[:LONGEST_PASSWORD]))
        if document is None or not right or len(password) > LONGEST_PASSWORD:
            raise WrongPassword
        return User(document["_id"], document["name"])

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _same_sign_up(self, there: Document, password: str, client_id: str | None) -> User:
        """The user of a sign-up that came twice. Raises Taken where it is somebody else's: without the client id, which
        only the page knows that signed up, nobody can try passwords here."""
        is_same = client_id is not None and there.get("client_id") == client_id
        if not is_same or not await self._in_thread(partial(self._verify, there["password"], password)):
            raise Taken
        return User(there["_id"], there["name"])

    async def _find(self, name: str) -> Document | None:
        with reaching_mongodb():
            return await self._database.users.find_one({"key": name_key(name)})

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_thread(self, work: Callable[[], Hashed]) -> Hashed:
        if self._hashing >= HASHING_QUEUE:
            raise Unavailable("too many people are signing in right now, try again", retry_after=2)
        self._hashing += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._hashing -= 1
