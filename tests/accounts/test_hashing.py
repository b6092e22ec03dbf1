"""Password hashes: with which parameters, and who has to wait for whom."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher, Type, extract_parameters

from chatserver.accounts import hashing
from chatserver.accounts.hashing import Hashing, make_hasher
from chatserver.errors import TooMany, Unavailable
from tests.helpers.passwords import CHEAP
from tests.helpers.waiting import until

pytestmark = pytest.mark.gen_test

PASSWORD = "correct horse"


class Held(PasswordHasher):
    """Takes until it is let go."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.go = threading.Event()
        self.at_work = 0
        self.passwords: list[str | bytes] = []
        self.niceness: set[int] = set()

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.at_work += 1
        self.passwords.append(password)
        self.niceness.add(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        self.go.wait(20)
        self.at_work -= 1
        return super().hash(password, salt=salt)


@pytest.fixture
def held() -> Iterator[Held]:
    hasher = Held()
    yield hasher
    hasher.go.set()


def test_the_parameters_are_those_that_owasp_recommends() -> None:
    made = extract_parameters(make_hasher().hash(PASSWORD))
    assert (made.type, made.memory_cost, made.time_cost, made.parallelism) == (Type.ID, 19 * 1024, 2, 1)


async def test_what_was_hashed_with_other_parameters_is_right_and_old() -> None:
    old = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4).hash(PASSWORD)
    hashes = Hashing(make_hasher())
    assert await hashes.is_right(old, PASSWORD, "here")
    assert hashes.is_old(old)
    assert not hashes.is_old(await hashes.hash(PASSWORD, "here"))
    assert not await hashes.is_right(old, "wrong", "here")
    assert not await hashes.is_right("no hash at all", PASSWORD, "here")
    hashes.close()


async def test_one_place_leaves_room_for_another(held: Held) -> None:
    """However many ask there: the one who comes from elsewhere is next, while the crowd's first is still in progress."""
    hashes = Hashing(held)
    crowd = [asyncio.ensure_future(hashes.hash(PASSWORD, "a crowd")) for _ in range(hashing.WAITING_FROM_ONE_PLACE)]
    await until(lambda: held.at_work == hashing.AT_ONCE_FROM_ONE_PLACE)
    with pytest.raises(TooMany):
        await hashes.hash(PASSWORD, "a crowd")
    elsewhere = asyncio.ensure_future(hashes.hash("from elsewhere", "elsewhere"))
    await until(lambda: len(held.passwords) == hashing.THREADS)
    assert held.passwords == [PASSWORD, "from elsewhere"]
    held.go.set()
    await elsewhere
    await asyncio.gather(*crowd)
    assert hashes._doors == {}
    hashes.close()


async def test_what_waits_in_all_is_bounded(held: Held) -> None:
    hashes = Hashing(held)
    crowd = [
        asyncio.ensure_future(hashes.hash(PASSWORD, f"place {number}")) for number in range(hashing.MAX_QUEUED_HASHES)
    ]
    await until(lambda: held.at_work == hashing.THREADS)
    with pytest.raises(Unavailable):
        await hashes.hash(PASSWORD, "one more")
    held.go.set()
    await asyncio.gather(*crowd)
    hashes.close()


async def test_messages_go_first(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    monkeypatch.setattr(hashing, "NICENESS", min(19, usual + 3))
    held.go.set()
    hashes = Hashing(held)
    await hashes.hash(PASSWORD, "here")
    assert held.niceness == {hashing.NICENESS}
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == usual
    hashes.close()


async def test_who_went_away_leaves_no_place_behind(held: Held) -> None:
    hashes = Hashing(held)
    crowd = [asyncio.ensure_future(hashes.hash(PASSWORD, "a crowd")) for _ in range(10)]
    await until(lambda: held.at_work == hashing.AT_ONCE_FROM_ONE_PLACE)
    for each in crowd:
        each.cancel()
    await asyncio.gather(*crowd, return_exceptions=True)
    held.go.set()
    assert hashes._doors == {}
    assert await hashes.is_right(CHEAP.hash(PASSWORD), PASSWORD, "a crowd")
    hashes.close()
