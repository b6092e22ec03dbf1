"""From the log to the readers: who posts does not wait for it, and does not hear what goes wrong there."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import pytest

from chatserver.app import Chat
from chatserver.archive.backlog import Backlog
from chatserver.errors import Unavailable
from chatserver.live.feed import Feed
from chatserver.log.keys import news_channel
from chatserver.model.cursor import Cursor
from chatserver.model.events import Event
from chatserver.settings import Settings
from chatserver.web.handlers.stream import StreamHandler
from tests.conftest import World
from tests.helpers.browserless import Stream, Visitor, read
from tests.helpers.parts import draft, parts_of
from tests.helpers.waiting import until

pytestmark = pytest.mark.gen_test


async def test_who_appends_has_the_answer_before_it_is_handed_on(settings: Settings, room: int) -> None:
    async with parts_of(settings) as parts:
        told: list[Event] = []
        parts.log.own_news.subscribe(told.extend)

        def are_told_more_than(count: int) -> bool:
            return len(told) > count

        for name in ("one", "two", "three"):
            told_before = len(told)
            event = await parts.begin(draft(room, name))
            assert len(told) == told_before
            assert parts.log.is_appending(room), "else its own wake-up would be taken for news"
            await until(partial(are_told_more_than, told_before))
            assert told[-1] == event
            assert not parts.log.is_appending(room)


@pytest.mark.parametrize("where", ["receive", "_send_news"])
@pytest.mark.parametrize("also_another", [False, True])
async def test_where_handing_on_fails_the_post_is_acknowledged_and_readers_resume(
    ada: Visitor,
    room: int,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    also_another: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    other = await ada.make_room()
    rooms = (room, other) if also_another else (room,)
    stream = await ada.stream(*rooms)
    elsewhere = await ada.stream(other)
    await stream.block()
    first = await ada.say(room, "first")
    assert await stream.message() == first

    def fail(feed: Feed, events: Iterable[Event] = ()) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(Feed, where, fail)
        answer = await ada.post(room, "in the log", "c-1")
        assert answer.code == 201
        await stream.closed()
    said = read(answer)["message"]
    assert "ZeroDivisionError" in caplog.text
    again = await ada.stream(*rooms, last=stream.cursor)
    assert await again.message() == said
    later = await ada.say(room, "later")
    assert await again.message() == later
    assert await elsewhere.is_quiet()
    heard = await ada.say(other, "elsewhere")
    assert await elsewhere.message() == heard
    repeated = await ada.post(room, "in the log", "c-1")
    assert (repeated.code, read(repeated)["message"]) == (200, said)


@pytest.mark.parametrize("what", ["unavailable", "a bug", "not acknowledged"])
async def test_a_room_that_can_not_be_opened_is_not_followed(
    ada: Visitor, room: int, chat: Chat, world: World, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    error: Exception = ZeroDivisionError() if what == "a bug" else Unavailable("away")

    async def fail(backlog: Backlog, room_id: int, cursor: Cursor, limit: int) -> list[Event]:
        raise error

    def followers() -> int:
        with world.redis_client() as redis:
            return int(redis.pubsub_numsub(news_channel(room))[0][1])

    with monkeypatch.context() as patched:
        if what == "not acknowledged":
            patched.setattr("chatserver.log.wakeups.ACKNOWLEDGE_SECONDS", 0.0)
        else:
            patched.setattr(Backlog, "before", fail)
        stream = await ada.stream(room)
        assert stream.status == (500 if what == "a bug" else 200)
    await until(lambda: followers() == 0)
    assert chat.hub.find(room) is None
    stream = await ada.stream(room, after="0")
    said = await ada.say(room, "hello")
    assert await stream.message() == said
    assert followers() == 1


async def test_who_joins_what_was_closed_meanwhile_is_sent_away(
    ada: Visitor, room: int, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the answers before it were on their way the room was let go."""
    other = await ada.make_room()
    wait = StreamHandler._is_its_turn

    async def let_go_and_wait(handler: StreamHandler) -> bool:
        for feed in chat.hub.feeds():
            chat.hub.drop(feed)
        return await wait(handler)

    with monkeypatch.context() as patched:
        patched.setattr(StreamHandler, "_is_its_turn", let_go_and_wait)
        for rooms in ((room,), (room, other)):
            stream: Stream = await ada.stream(*rooms)
            assert (await stream.rest())[-1].retry
    await until(lambda: len(chat.services.open_streams) == 0)
    stream = await ada.stream(room, other, after="0")
    said = await ada.say(room, "hello")
    assert await stream.message() == said
