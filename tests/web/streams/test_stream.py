"""GET /chat/stream: where it starts, what it says, how it goes on."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable, Mapping
from typing import Any

import pymongo
import pytest

from chatserver.app import Chat
from chatserver.archive.event_documents import event_document
from chatserver.log.keys import log_key, news_channel
from chatserver.log.room_log import RoomLog
from chatserver.model.cursor import Cursor
from chatserver.model.events import Body, Event, draft_message
from chatserver.settings import Settings
from chatserver.web.handlers.stream import StreamHandler
from tests.conftest import World
from tests.helpers.browserless import Block, Visitor, read
from tests.helpers.parts import draft, parts_of
from tests.helpers.waiting import until
from tests.helpers.ways_to_ask import starts

pytestmark = pytest.mark.gen_test


async def test_the_first_bytes_come_at_once_and_name_a_cursor(ada: Visitor, room: int) -> None:
    stream = await ada.stream(room)
    assert stream.status == 200
    assert stream.headers["content-type"].split(";")[0] == "text/event-stream"
    assert stream.headers["cache-control"] == "no-cache, no-transform"
    assert stream.headers["x-accel-buffering"] == "no"
    assert "content-length" not in stream.headers
    assert "content-encoding" not in stream.headers
    first = await stream.block()
    # Under a name and without data: no browser dispatches it, and no library takes it for a message.
    assert (first.id, first.event, first.data) == ("0-0", "cursor", None)
    assert first.retry is not None
    assert first.retry.isdigit()


async def test_a_message_is_an_id_and_the_json_that_was_acknowledged(ada: Visitor, room: int) -> None:
    stream = await ada.stream(room)
    await stream.block()
    said = await ada.say(room, "hello\nworld")
    block = await stream.event()
    assert block == Block(id=said["id"], data=block.data)
    assert json.loads(block.data or "") == said


@pytest.fixture
def only_own_news(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read for a wake-up of this process's own, nor because some time has passed."""
    monkeypatch.setattr("chatserver.live.relay.SWEEP_SECONDS", 3600.0)
    monkeypatch.setattr("chatserver.live.relay.OWN_APPEND_SECONDS", 3600.0)


async def test_what_this_process_appended_is_not_read_again(
    only_own_news: None, ada: Visitor, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[Mapping[int, Cursor]] = []
    after_each = RoomLog.after_each

    async def counted(log: RoomLog, cursors: Mapping[int, Cursor], limit: int) -> dict[int, list[Event]]:
        reads.append(cursors)
        return await after_each(log, cursors, limit)

    stream = await ada.stream(room)
    said = await ada.say(room, "what is new at the start may be read")
    assert await stream.message() == said
    monkeypatch.setattr(RoomLog, "after_each", counted)
    for number in range(40):
        said = await ada.say(room, str(number))
        assert await stream.message() == said
    assert reads == []


async def test_without_a_cursor_it_starts_now(ada: Visitor, room: int) -> None:
    before = await ada.say(room, "before")
    stream = await ada.stream(room)
    assert (await stream.block()).id == before["id"]
    after = await ada.say(room, "after")
    assert await stream.message() == after


async def test_after_zero_is_the_beginning(ada: Visitor, room: int) -> None:
    said = [await ada.say(room, str(number)) for number in range(3)]
    stream = await ada.stream(room, after="0")
    assert await stream.messages(3) == said
    later = await ada.say(room, "later")
    assert await stream.message() == later


async def test_last_event_id_resumes_right_behind_it(ada: Visitor, room: int) -> None:
    said = [await ada.say(room, str(number)) for number in range(5)]
    for index in range(4):
        stream = await ada.stream(room, last=said[index]["id"])
        assert await stream.messages(4 - index) == said[index + 1 :]
        assert await stream.is_quiet()


async def test_of_two_cursors_the_later_one_counts(ada: Visitor, room: int) -> None:
    said = [await ada.say(room, str(number)) for number in range(4)]
    for after, last in [(0, 2), (2, 0)]:
        stream = await ada.stream(room, after=said[after]["id"], last=said[last]["id"])
        assert await stream.message() == said[3]
    stream = await ada.stream(room, after="0", last=said[2]["id"])
    assert await stream.message() == said[3]


async def test_who_can_not_send_headers_resumes_by_the_address(ada: Visitor, room: int) -> None:
    said = [await ada.say(room, str(number)) for number in range(4)]
    stream = await ada.stream(room, query={"lastEventId": said[1]["id"]})
    assert await stream.messages(2) == said[2:]
    for named in (0, 2):
        stream = await ada.stream(room, after=said[2 - named]["id"], query={"lastEventId": said[named]["id"]})
        assert await stream.message() == said[3]
    stream = await ada.stream(room, last=said[0]["id"], query={"lastEventId": said[2]["id"]})
    assert await stream.message() == said[3]
    assert (await (await ada.stream(room, query={"lastEventId": "x"})).event()).event == "reset"
    other = await ada.make_room()
    await (many := await ada.stream(room, other, query={"lastEventId": f"{room}.{said[2]['id']}_{other}.0-0"})).block()
    assert await many.message() == said[3]


async def test_a_hundred_missed_messages_come_exactly_once_in_order(ada: Visitor, room: int) -> None:
    stream = await ada.stream(room, after="0")
    await ada.say(room, "seen")
    await stream.message()
    stream.close()
    await asyncio.gather(*[ada.say(room, f"missed {number}") for number in range(100)])
    again = await ada.stream(room, last=stream.cursor)
    missed = await again.messages(100)
    assert {message["content"] for message in missed} == {f"missed {number}" for number in range(100)}
    assert [message["prev"] for message in missed] == [stream.cursor, *(message["id"] for message in missed[:-1])]
    assert await again.is_quiet()


@pytest.mark.parametrize(
    "garbage",
    ["x", "1", "-1", "1-2-3", "9" * 30 + "-0", "1795452475863-0", "9223372036854775807-0", "null", "1-0, 2-0", "%00", "1" * 3000],
)  # fmt: skip
async def test_a_cursor_that_can_not_be_served_is_reset_and_the_stream_goes_on(
    ada: Visitor, room: int, garbage: str
) -> None:
    said = await ada.say(room, "before")
    for start in starts(garbage):
        stream = await ada.stream(room, **start)
        assert stream.status == 200
        block = await stream.event()
        assert (block.event, block.id) == ("reset", said["id"])
        assert json.loads(block.data or "")["room_id"] == room
        later = await ada.say(room, "later")
        assert await stream.message() == later
        said = later


async def test_a_reset_goes_back_to_what_every_page_has_from_then_on(
    ada: Visitor, room: int, settings: Settings
) -> None:
    """What is still being archived comes behind it. Redis could lose that before the page is loaded."""
    archived = await ada.say(room, "archived")
    async with parts_of(settings) as parts:
        begun = await parts.begin(draft(room, "on its way"))
    assert begun is not None
    stream = await ada.stream(room, last="x")
    block = await stream.event()
    assert (block.event, block.id) == ("reset", archived["id"])
    assert (await stream.message())["id"] == str(begun.id)


async def test_bytes_that_are_no_text_in_the_header_are_garbage_too(ada: Visitor, room: int) -> None:
    for garbage in ("é", "\udcff", "🎉"):
        header = garbage.encode("utf-8", "surrogateescape").decode("latin-1")
        stream = await ada.stream(room, last=header)
        assert (await stream.event()).event == "reset"


async def test_a_cursor_of_another_room_is_reset(ada: Visitor, room: int) -> None:
    other = await ada.make_room()
    elsewhere = await ada.say(other, "elsewhere")
    here = await ada.say(room, "here")
    block = await (await ada.stream(room, last=elsewhere["id"])).event()
    assert (block.event, block.id) == ("reset", here["id"])


async def test_an_empty_cursor_is_none(ada: Visitor, room: int) -> None:
    said = await ada.say(room, "before")
    stream = await ada.stream(room, after="", last="")
    block = await stream.block()
    assert (block.event, block.id) == ("cursor", said["id"])


@pytest.mark.parametrize(
    "query", ["", "?room=", "?room=0", "?room=-1", "?room=x", "?room=1.5", "?room=%201", "?room=٣", "?room=" + "9" * 30]
)
async def test_a_room_that_is_no_number_is_required(ada: Visitor, query: str) -> None:
    response = await ada.get(f"/chat/stream{query}")
    assert (response.code, read(response)) == (400, {"error": "room required"})


async def test_an_unknown_room_is_not_found(ada: Visitor) -> None:
    response = await ada.get("/chat/stream?room=999999")
    assert (response.code, read(response)) == (404, {"error": "room not found"})


async def test_signed_out_nobody_reads(visit: Callable[..., Visitor], room: int) -> None:
    response = await visit().get(f"/chat/stream?room={room}")
    assert (response.code, read(response)) == (401, {"error": "sign in first"})


async def test_head_answers_the_headers(ada: Visitor, room: int) -> None:
    response = await ada.fetch("HEAD", f"/chat/stream?room={room}")
    assert response.code == 200
    assert response.headers["Content-Type"].startswith("text/event-stream")
    assert response.headers["Cache-Control"] == "no-cache, no-transform"
    assert response.headers["X-Accel-Buffering"] == "no"
    assert not {"Content-Length", "Etag"} & set(response.headers)
    assert response.body == b""


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_other_methods_are_not_allowed(ada: Visitor, room: int, method: str) -> None:
    response = await ada.fetch(method, f"/chat/stream?room={room}", body=b"")
    assert response.code == 405
    assert response.headers["Allow"] == "GET, HEAD"


async def test_http_1_0_gets_the_same_bytes_without_chunks(ada: Visitor, room: int) -> None:
    """nginx speaks it to the servers behind it, unless told otherwise."""
    stream = await ada.stream(room, after="0", version="1.0")
    assert "transfer-encoding" not in stream.headers
    said = [await ada.say(room, str(number)) for number in range(3)]
    assert await stream.messages(3) == said


async def test_every_reader_gets_every_message(ada: Visitor, room: int) -> None:
    streams = [await ada.stream(room, after="0") for _ in range(30)]
    await asyncio.gather(*[ada.say(room, str(number)) for number in range(40)])
    everything = (await ada.page(room))["messages"]
    for stream in streams:
        assert await stream.messages(40) == everything


async def test_a_room_hears_nothing_of_another(ada: Visitor, room: int) -> None:
    other = await ada.make_room()
    stream = await ada.stream(room, after="0")
    await ada.say(other, "elsewhere")
    here = await ada.say(room, "here")
    assert await stream.message() == here


async def test_a_reader_that_sends_is_closed(ada: Visitor, room: int) -> None:
    stream = await ada.stream(room)
    await stream.block()
    stream.send(b"x")
    await stream.closed()


async def test_a_reader_that_left_is_forgotten(ada: Visitor, room: int, chat: Chat) -> None:
    stream = await ada.stream(room)
    await stream.block()
    feed = chat.hub.find(room)
    assert feed is not None
    assert len(feed.subscriptions()) == 1
    stream.close()
    async with asyncio.timeout(10):
        while feed.subscriptions():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_an_open_stream_keeps_nothing_of_its_request(ada: Visitor, room: int) -> None:
    def handlers() -> list[StreamHandler]:
        return [each for each in gc.get_objects() if type(each) is StreamHandler]

    gc.collect()
    assert handlers() == []
    gc.disable()  # what goes now goes because nothing points to it, cycles included
    try:
        streams = [await ada.stream(room) for _ in range(3)]
        for stream in streams:
            await stream.block()
        await until(lambda: not handlers())
    finally:
        gc.enable()
    said = await ada.say(room, "hello")
    assert [await stream.message() for stream in streams] == [said] * 3


@pytest.mark.usefixtures("patient_streams")
async def test_a_slow_reader_gets_everything_and_the_others_do_not_wait(ada: Visitor, room: int) -> None:
    """What the kernel does not take turns the reader back to catching up, through the ring and beyond it."""
    slow = await ada.stream(room, after="0")
    slow.shrink_buffers()
    quick = await ada.stream(room, after="0")
    count = 1500
    for start in range(0, count, 100):
        await asyncio.gather(*[ada.say(room, f"{number} " + "x" * 1900) for number in range(start, start + 100)])
    quickly = await quick.messages(count)
    assert await slow.messages(count) == quickly
    later = await ada.say(room, "later")
    assert await slow.message() == later


async def test_a_closed_room_is_done_and_a_reconnect_is_told_to_stay_away(ada: Visitor, room: int) -> None:
    stream = await ada.stream(room, after="0")
    said = await ada.say(room, "last words")
    assert (await ada.fetch("DELETE", f"/rooms/{room}")).code == 204
    assert await stream.message() == said
    *_, last = await stream.rest()
    assert last.data == "[DONE]"
    assert stream.ended
    assert (await ada.get(f"/chat/stream?room={room}")).code == 204
    assert (await ada.get(f"/rooms/{room}/messages")).code == 404


async def test_a_reader_too_far_behind_is_reset(
    ada: Visitor, room: int, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatserver.live.opening.TOO_FAR", 20)
    monkeypatch.setattr("chatserver.live.relay.KEEP_FRAMES", 5)
    said = [await ada.say(room, str(number)) for number in range(22)]
    exactly = await ada.stream(room, last=said[1]["id"])
    assert await exactly.messages(20) == said[2:]
    block = await (await ada.stream(room, last=said[0]["id"])).event()
    assert (block.event, block.id) == ("reset", said[-1]["id"])


async def test_the_page_and_its_stream_meet_without_a_gap(ada: Visitor, room: int) -> None:
    """I4, three hundred times: posts race the page and the stream that starts at the page's cursor."""
    for number in range(300):

        async def read_all(number: int = number) -> list[str]:
            page = await ada.page(room, limit=50)
            seen = [message["content"] for message in page["messages"]]
            seen = [content for content in seen if content.startswith(f"{number}:")]
            if len(seen) < 4:
                stream = await ada.stream(room, after=page["cursor"])
                seen += [message["content"] for message in await stream.messages(4 - len(seen))]
                stream.close()
            return seen

        posts = [ada.say(room, f"{number}:{part}") for part in range(4)]
        *_, seen = await asyncio.gather(*posts, read_all())
        assert sorted(seen) == [f"{number}:{part}" for part in range(4)]


# What Redis forgets


async def test_a_trimmed_stream_is_filled_up_from_the_archive(
    ada: Visitor, room: int, world: World, visit: Callable[..., Visitor]
) -> None:
    said = [await ada.say(room, str(number)) for number in range(30)]
    with world.redis_client() as redis:
        (key,) = redis.keys(f"*:room:{room}:log")
        for keep in (10, 1, 0):
            redis.xtrim(key, maxlen=keep, approximate=False)
            stream = await ada.stream(room, last=said[3]["id"])
            assert await stream.messages(len(said) - 4) == said[4:]
            said.append(await ada.say(room, f"after keeping {keep}"))
            assert said[-1]["prev"] == said[-2]["id"]
            assert await stream.message() == said[-1]
    assert (await ada.page(room, limit=200))["messages"] == said


async def test_a_hole_in_the_middle_of_a_stream_is_filled_up_from_the_archive(
    ada: Visitor, room: int, world: World, visit: Callable[..., Visitor]
) -> None:
    """Redis came back without its tail, and the log went on above the loss."""
    said = [await ada.say(room, str(number)) for number in range(10)]
    with world.redis_client() as redis:
        (key,) = redis.keys(f"*:room:{room}:log")
        redis.xdel(key, said[4]["id"], said[5]["id"], said[8]["id"])
    for index in range(9):
        stream = await ada.stream(room, last=said[index]["id"])
        assert await stream.messages(9 - index) == said[index + 1 :]
    assert (await ada.page(room, after=said[2]["id"]))["messages"] == said[3:]


async def test_after_flushall_ids_grow_links_hold_and_nothing_is_missing(ada: Visitor, room: int, world: World) -> None:
    said = [await ada.say(room, f"before {number}", f"c-{number}") for number in range(5)]
    stream = await ada.stream(room, last=said[1]["id"])
    with world.redis_client() as redis:
        for flush in range(3):
            redis.flushall()
            said += [await ada.say(room, f"after {flush} {number}") for number in range(3)]
    ids = [tuple(map(int, message["id"].split("-"))) for message in said]
    assert ids == sorted(set(ids))
    assert [message["prev"] for message in said] == ["0-0", *(message["id"] for message in said[:-1])]
    assert await stream.messages(len(said) - 2) == said[2:]
    again = await ada.stream(room, last=said[0]["id"])
    assert await again.messages(len(said) - 1) == said[1:]
    repeated = await ada.post(room, "a day later", "c-2")
    assert (repeated.code, read(repeated)["message"]) == (200, said[2])


async def test_an_id_is_not_reused_when_the_clock_of_redis_went_back(ada: Visitor, room: int, world: World) -> None:
    """The archive knows an id from the future; Redis comes back empty, with a clock that is an hour behind it."""
    first = await ada.say(room, "first")
    future = f"{int(first['id'].split('-')[0]) + 3_600_000}-7"
    with world.redis_client() as redis:
        (key,) = redis.keys(f"*:room:{room}:log")
        entry = dict(redis.xrange(key)[0][1])
        entry |= {b"prev": first["id"].encode(), b"client": b"from-the-future"}
        entry[b"payload"] = entry[b"payload"].replace(first["client_id"].encode(), b"from-the-future")
        redis.xadd(key, entry, id=future)
        redis.hset(f"{{chat{room % 16}}}:room:{room}:names", f"{ada.id}:from-the-future", future)
    assert (await ada.say(room, "first", "from-the-future"))["id"] == future
    with world.redis_client() as redis:
        redis.flushall()
    after = await ada.say(room, "after")
    assert after["prev"] == future
    assert tuple(map(int, after["id"].split("-"))) > tuple(map(int, future.split("-")))
    # Else everybody who signs up within the hour would have something to read there.
    assert (await ada.fetch("DELETE", f"/rooms/{room}")).code == 204


async def test_posts_and_flushes_at_once_lose_and_double_nothing(ada: Visitor, room: int, world: World) -> None:
    """Every acknowledged message reaches a reader who stays, once, and stands in history in the same order."""
    stream = await ada.stream(room, after="0")
    acknowledged: dict[str, str] = {}
    done = asyncio.Event()

    async def post(poster: int) -> None:
        for number in range(100):
            client_id = f"{poster}-{number}"
            while True:
                response = await ada.post(room, client_id, client_id)
                if response.code in {200, 201}:
                    acknowledged[client_id] = read(response)["id"]
                    break
                assert response.code == 503

    async def flush() -> None:
        with world.redis_client() as redis:
            while not done.is_set():
                redis.flushall()
                await asyncio.sleep(0.2)

    flushing = asyncio.create_task(flush())
    await asyncio.gather(*[post(poster) for poster in range(8)])
    done.set()
    await flushing
    page = await ada.page(room, after="0", limit=200)
    history = page["messages"]
    while page["has_more"]:
        page = await ada.page(room, after=page["cursor"], limit=200)
        history += page["messages"]
    assert {message["client_id"]: message["id"] for message in history} == acknowledged
    seen: dict[str, str] = {}
    while any(seen.get(name) != id for name, id in acknowledged.items()):
        message = await stream.message()
        seen[message["client_id"]] = message["id"]
    assert seen == acknowledged


async def test_what_is_acknowledged_while_a_room_is_closed_comes_before_its_end(ada: Visitor) -> None:
    for _ in range(5):
        room = await ada.make_room()
        stream = await ada.stream(room, after="0")
        acknowledged: set[str] = set()

        async def post_to_the_end(room: int, acknowledged: set[str]) -> int:
            while (answer := await ada.post(room, "another word")).code == 201:
                acknowledged.add(read(answer)["id"])
            return answer.code

        posting = asyncio.gather(*(post_to_the_end(room, acknowledged) for _ in range(6)))
        seen = {message["id"] for message in await stream.messages(20)}
        assert (await ada.fetch("DELETE", f"/rooms/{room}")).code == 204
        assert set(await posting) == {404}
        *blocks, last = await stream.rest()
        assert last.data == "[DONE]"
        assert acknowledged == seen | {block.id for block in blocks if block.data and block.event is None}


def put_in_stream(world: World, event: Event) -> None:
    """As an append does, without its checks."""
    fields = {"kind": event.kind, "user": event.user_id, "client": event.client_id}
    with world.redis_client() as redis:
        fields |= {"prev": str(event.prev), "payload": event.payload.decode()}
        redis.xadd(log_key(event.room_id), fields, id=str(event.id))
        redis.publish(news_channel(event.room_id), str(event.id))


def following(message: dict[str, Any], name: str) -> Event:
    """What somebody said right behind that."""
    prev = Cursor.parse(message["id"])
    body = Body(message["room_id"], message["user_id"], message["user_name"], name, message["created_at"], name)
    draft = draft_message(body)
    id = Cursor(prev.ms + 1, 0)
    return Event(body.room_id, id, prev, "message", body.user_id, body.client_id, draft.payload)


async def test_what_the_log_lost_before_it_was_read_comes_from_the_archive(
    ada: Visitor, room: int, world: World
) -> None:
    stream = await ada.stream(room)
    await stream.block()
    first = await ada.say(room, "first")
    assert await stream.message() == first
    lost = following(first, "lost")
    kept = following(json.loads(lost.json()), "kept")
    # At once, as seen from the process that is to read it.
    with pymongo.MongoClient[dict[str, Any]](world.mongod.uri, w="majority") as client:
        client.get_default_database().events.insert_many([event_document(lost), event_document(kept)])
    put_in_stream(world, kept)
    assert [message["content"] for message in await stream.messages(2)] == ["lost", "kept"]


async def test_what_was_lost_is_not_told_to_who_comes_later(ada: Visitor, room: int, world: World) -> None:
    stream = await ada.stream(room)
    await stream.block()
    first = await ada.say(room, "first")
    assert await stream.message() == first
    lost = following(first, "lost")
    put_in_stream(world, lost)
    assert (await stream.message())["id"] == str(lost.id)
    with world.redis_client() as redis:
        redis.flushall()
    again = read(await ada.post(room, "again", client_id="lost"))["message"]
    assert (await stream.message())["id"] == again["id"]
    later = await ada.stream(room, last=first["id"])
    assert await later.message() == again
