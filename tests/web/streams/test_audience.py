"""Who may listen: no longer than their session, no more than there is room for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pymongo
import pytest

from chatserver.app import Chat
from chatserver.errors import Unavailable
from chatserver.live.opening import Opening, StreamOpener
from chatserver.model.rooms import Room
from chatserver.settings import Settings
from tests.helpers.browserless import WAIT_SECONDS, Stream, Visitor
from tests.helpers.server_process import ServerProcess
from tests.helpers.waiting import until

pytestmark = pytest.mark.gen_test


async def test_signing_out_ends_all_streams_of_the_session_in_every_process(
    start_server: Callable[..., ServerProcess], visit: Callable[..., Visitor]
) -> None:
    here, there = start_server(), start_server()
    ada, grace = visit(here.address), visit(here.address)
    await ada.sign_up()
    await grace.sign_up()
    room = await ada.make_room()
    elsewhere = visit(there.address)
    elsewhere.cookies = dict(ada.cookies)
    streams = [await ada.stream(room), await elsewhere.stream(room)]
    hers = await grace.stream(room)
    for stream in [*streams, hers]:
        await stream.block()
    said = await grace.say(room, "heard by all")
    for stream in [*streams, hers]:
        assert await stream.message() == said
    ada_again = visit(here.address)
    ada_again.cookies, ada_again.token = dict(ada.cookies), ada.token
    assert (await ada_again.fetch("POST", "/sign-out", json_body={})).code == 204
    for stream in streams:
        assert [block.data for block in await stream.rest()] == ["[DONE]"]
    said = await grace.say(room, "not for her")
    assert await hers.message() == said
    for visitor in (ada, elsewhere):
        assert (await visitor.stream(room, last=said["prev"])).status == 401


async def test_an_end_of_which_nobody_said_a_word_is_noticed(
    ada: Visitor, room: int, chat: Chat, settings: Settings
) -> None:
    stream = await ada.stream(room)
    await stream.block()
    with pymongo.MongoClient[dict[str, object]](settings.mongodb_uri) as client:
        client.get_default_database("harbour").sessions.delete_many({"user_id": ada.id})
    assert await stream.is_quiet()
    await chat.services.open_streams._end_the_signed_out()
    assert [block.data for block in await stream.rest()] == ["[DONE]"]


@pytest.mark.usefixtures("patient_streams")
async def test_what_waits_to_be_sent_is_not_sent_any_more(ada: Visitor, room: int, chat: Chat) -> None:
    stream = await ada.stream(room, after="0")
    stream.shrink_buffers()
    for start in range(0, 800, 100):
        await asyncio.gather(*[ada.say(room, f"{number} " + "x" * 1900) for number in range(start, start + 100)])
    (subscription,) = next(feed for feed in chat.hub.feeds() if feed.room_id == room).subscriptions()
    assert subscription.unsent
    assert (await ada.fetch("POST", "/sign-out", json_body={})).code == 204
    assert subscription.closed
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await stream.messages(800)


async def test_who_finds_no_room_is_told_to_come_back_later(
    start_server: Callable[..., ServerProcess], visit: Callable[..., Visitor]
) -> None:
    server = start_server(MAX_STREAMS="3", MAX_STREAMS_PER_USER="2")
    ada, grace, joan = (visit(server.address) for _ in range(3))
    for visitor in (ada, grace, joan):
        await visitor.sign_up()
    room = await ada.make_room()
    open_streams = [await ada.stream(room), await ada.stream(room)]
    await _is_shed(await ada.stream(room))
    open_streams.append(await grace.stream(room))
    await _is_shed(await joan.stream(room))
    said = await joan.say(room, "I can still write")
    for stream in open_streams:
        assert await stream.message() == said
    open_streams[0].close()
    while (stream := await joan.stream(room, after="0")) and not (await stream.block()).id:
        pass
    assert await stream.message() == said


async def test_of_a_storm_as_many_are_let_in_as_may_be_and_the_others_are_told_to_come_back(
    start_server: Callable[..., ServerProcess], visit: Callable[..., Visitor]
) -> None:
    server = start_server(MAX_STREAMS="50", MAX_STREAMS_PER_USER="1000")
    ada = visit(server.address)
    await ada.sign_up()
    room = await ada.make_room()
    await _is_bounded(ada, room, storm=400, bound=50)


async def test_of_a_storm_of_one_user_as_many_are_let_in_as_one_may_have(
    start_server: Callable[..., ServerProcess], visit: Callable[..., Visitor]
) -> None:
    server = start_server(MAX_STREAMS="1000", MAX_STREAMS_PER_USER="20")
    ada, grace = visit(server.address), visit(server.address)
    await ada.sign_up()
    await grace.sign_up()
    room = await ada.make_room()
    hers = await grace.stream(room)
    await _is_bounded(ada, room, storm=150, bound=20)
    said = await grace.say(room, "still here")
    while await hers.message() != said:
        pass


async def _is_bounded(visitor: Visitor, room: int, *, storm: int, bound: int) -> None:
    """So many come at once, and when those who were let in have left, as many find a place again."""
    streams = await asyncio.gather(*[visitor.stream(room) for _ in range(storm)])
    first = await asyncio.gather(*[stream.block() for stream in streams])
    let_in = [stream for stream, block in zip(streams, first, strict=True) if block.id is not None]
    assert len(let_in) == bound
    for stream, block in zip(streams, first, strict=True):
        if stream not in let_in:
            assert (stream.status, block.data) == (200, None)
            assert int(block.retry or 0) >= 30_000
            assert await stream.rest() == []
    said = await visitor.say(room, "to those who are in")
    for stream in let_in:
        assert await stream.message() == said
        stream.close()
    async with asyncio.timeout(WAIT_SECONDS):
        while True:  # that they left is noticed in a moment
            streams = await asyncio.gather(*[visitor.stream(room) for _ in range(bound)])
            first = await asyncio.gather(*[stream.block() for stream in streams])
            for stream in streams:
                stream.close()
            if all(block.id is not None for block in first):
                return


class Gate:
    """StreamOpener that are being opened wait here."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, fails: bool = False) -> None:
        self.waiting = 0
        self._open = asyncio.Event()
        opens = StreamOpener.open

        async def wait_and_open(streams: StreamOpener, room: Room, asked: Sequence[str]) -> Opening:
            self.waiting += 1
            await self._open.wait()
            if fails:
                raise Unavailable("away")
            return await opens(streams, room, asked)

        monkeypatch.setattr(StreamOpener, "open", wait_and_open)

    def let_through(self) -> None:
        self._open.set()


@pytest.mark.parametrize("way", ["left", "reset", "refused", "signed out", "asked for the head", "seated and left"])
async def test_who_is_being_let_in_has_a_place_until_they_are_in_or_gone(
    ada: Visitor,
    room: int,
    chat: Chat,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    open_streams = chat.services.open_streams
    monkeypatch.setattr(open_streams, "_in_all", 5)
    gate = Gate(monkeypatch, fails=way == "refused")
    method = "HEAD" if way == "asked for the head" else "GET"
    opening = [asyncio.create_task(ada.stream(room, method=method)) for _ in range(5)]
    await until(lambda: gate.waiting == 5)
    await _is_shed(await ada.stream(room))
    if way in {"left", "reset"}:
        for stream in ada.open_streams():
            stream.abort() if way == "reset" else stream.close()
        for task in opening:
            task.cancel()
    elif way == "signed out":
        again = ada.cookies.copy()
        assert (await ada.fetch("POST", "/sign-out", json_body={})).code == 204
        ada.cookies = again
    gate.let_through()
    streams = await asyncio.gather(*opening, return_exceptions=True)
    if way == "seated and left":
        assert len(open_streams) == 5
    for opened in streams:
        if isinstance(opened, Stream):
            opened.close()
    await until(lambda: not open_streams._opening_in_all and not len(open_streams))
    assert not open_streams._opening
    assert not open_streams._by_user


async def _is_shed(stream: Stream) -> None:
    """A 200 that ends at once, since EventSource would not come back from anything else."""
    assert (stream.status, stream.headers["content-type"].split(";")[0]) == (200, "text/event-stream")
    (block,) = await stream.rest()
    assert (block.id, block.data) == (None, None)
    assert int(block.retry or 0) >= 30_000


async def test_a_stream_that_is_old_enough_ends_cleanly_and_resumes(
    ada: Visitor, room: int, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatserver.live.open_streams.MAX_AGE_SECONDS", -1.0)
    stream = await ada.stream(room)
    said = await ada.say(room, "before")
    assert await stream.message() == said
    chat.services.open_streams._end_the_old()
    (farewell,) = await stream.rest()
    assert farewell.retry
    later = await ada.say(room, "after")
    assert await (await ada.stream(room, last=stream.cursor)).message() == later


async def test_closed_streams_leave_nothing_behind(ada: Visitor, room: int, chat: Chat) -> None:
    streams = [await ada.stream(room) for _ in range(5)]
    assert len(chat.services.open_streams) == 5
    for stream in streams:
        stream.close()
    while len(chat.services.open_streams):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert not chat.services.open_streams._by_session
    assert not chat.services.open_streams._by_user
