"""Nothing that runs in the background ends unseen: it is logged, goes on, and shows in /readyz while it fails."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from chatserver.accounts.sessions import ENDED
from chatserver.app import Chat
from chatserver.live.signals import CHANNEL
from chatserver.log.keys import news_channel
from chatserver.rooms.rooms import CLOSED
from chatserver.support import background
from chatserver.support.background import Background
from chatserver.support.group_commit import GroupCommit
from tests.conftest import World
from tests.helpers.browserless import Visitor, read
from tests.helpers.waiting import for_ever, until

pytestmark = pytest.mark.gen_test

GARBAGE = (
    b"",
    b"\0",
    b"\xff\xfe",
    b"archive ",
    b"1-",
    b"-1-2",
    b"9" * 5000 + b"-0",
    b"[",
    b"[{}]",
    b"{}",
    b"x" * 300_000,
)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts that failed go on at once."""
    monkeypatch.setattr(background, "RESTART_SECONDS", (0.001, 0.01))


async def test_a_part_that_failed_goes_on_and_is_told_of(caplog: pytest.LogCaptureFixture, soon: None) -> None:
    began = 0
    wait = asyncio.Event()

    async def work() -> None:
        nonlocal began
        began += 1
        if began == 1:
            raise ValueError("a bug")
        if began == 2:
            return
        if began == 3:
            raise asyncio.CancelledError  # of something else than the part
        await wait.wait()

    part = Background().start("the part", work)
    await until(lambda: began == 4)
    await part.stop()
    assert [record.getMessage() for record in caplog.records] == ["the part failed"] * 3
    assert "a bug" in caplog.text
    assert "the part ended by itself" in caplog.text
    assert "Traceback" in caplog.text


async def test_a_part_that_fails_again_and_again_is_failing_until_it_ran_for_a_while(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, soon: None
) -> None:
    monkeypatch.setattr(background, "STEADY_SECONDS", 0.5)
    is_broken = True

    async def work() -> None:
        if is_broken:
            raise OSError("still broken")
        await asyncio.Event().wait()

    parts = Background()
    sound = parts.start("sound", for_ever)
    broken = parts.start("broken", work)
    assert parts.failing() == []
    await until(lambda: parts.failing() == ["broken"])
    is_broken = False
    await until(lambda: parts.failing() == [])
    await broken.stop()
    await sound.stop()
    assert "still broken" in caplog.text


async def test_a_process_in_which_a_part_fails_is_not_ready(
    chat: Chat, ada: Visitor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, soon: None
) -> None:
    """The sweep is broken, and mended again. All else is served meanwhile."""
    monkeypatch.setattr(background, "STEADY_SECONDS", 1.0)
    monkeypatch.setattr("chatserver.archive.sweep.SWEEP_SECONDS", 0.01)
    whole = chat.services.health

    async def break_down(*_: object, **__: object) -> None:
        raise RuntimeError("a bug of the sweep")

    with monkeypatch.context() as broken:
        broken.setattr("chatserver.archive.sweep.Sweep.sweep", break_down)
        await until(lambda: whole.failing() == ["sweep"])
        response = await ada.get("/readyz")
        assert (response.code, read(response)) == (
            503,
            {"redis": True, "mongodb": True, "draining": False, "failing": ["sweep"]},
        )
        assert (await ada.get("/healthz")).code == 200
    await until(lambda: whole.failing() == [])
    assert (await ada.get("/readyz")).code == 200
    assert "a bug of the sweep" in caplog.text


@pytest.mark.parametrize("channel", [CHANNEL, CLOSED, ENDED, "news"])
async def test_garbage_on_a_channel_harms_nobody(
    channel: str, chat: Chat, ada: Visitor, room: int, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told of, and heard on: what is right comes through on all channels."""
    stream = await ada.stream(room)
    typing = {"room_id": room, "user_id": 1, "user_name": "somebody else"}
    with world.redis_client() as redis:
        for garbage in GARBAGE:
            redis.publish(news_channel(room) if channel == "news" else channel, garbage)
        await until(lambda: caplog.records)
        redis.publish(CHANNEL, json.dumps([{"name": "typing", "data": typing, "room_id": room}]))
    assert await stream.signal("typing") == typing
    said = await ada.say(room, "still here")
    assert await stream.message() == said
    assert {record.levelno for record in caplog.records} == {logging.WARNING}, caplog.text
    assert chat.services.health.failing() == []


async def test_a_room_in_which_something_breaks_does_not_silence_the_others(
    chat: Chat, ada: Visitor, room: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its readers are cut off, and resume; the others hear nothing of it."""
    other = await ada.make_room()
    broken, sound = await ada.stream(room), await ada.stream(other)
    feed = chat.hub.find(room)
    assert feed is not None
    with monkeypatch.context() as breaking:
        breaking.setattr(feed, "tick", lambda *_, **__: 1 / 0)
        await broken.closed()
    again = await ada.stream(room, after=broken.cursor)
    said = await ada.say(room, "here"), await ada.say(other, "and there")
    assert (await again.message(), await sound.message()) == said
    assert "ZeroDivisionError" in caplog.text


async def test_whoever_waits_for_a_batch_hears_of_its_end_whatever_it_was() -> None:
    async def too_few(items: object) -> list[int]:
        return []

    with pytest.raises(RuntimeError, match="0 results for 1 items"):
        await GroupCommit[int, int](too_few).submit(1)

    async def cancelled(items: object) -> list[int]:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await GroupCommit[int, int](cancelled).submit(1)
