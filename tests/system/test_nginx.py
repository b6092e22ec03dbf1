"""Behind nginx, as Debian ships it and with its default buffering, a chat is what it is without."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tornado.ioloop import IOLoop

from common.nginx import Nginx
from common.paths import ROOT
from tests.helpers.browserless import Visitor
from tests.helpers.nginx import find_program

pytestmark = pytest.mark.gen_test

PLAIN = "server {{ listen PORT; location / {{ proxy_pass http://127.0.0.1:{chat}; proxy_http_version {version}; }} }}"

SITES = ["HTTP/1.0", "HTTP/1.1", "README"]
"""What nginx speaks to the chat: 1.0 unless told otherwise; 1.1; and what the README tells it."""


def make_site(kind: str, chat: int) -> str:
    if kind != "README":
        return PLAIN.format(chat=chat, version=kind.removeprefix("HTTP/"))
    found = re.search(r"^    upstream harbour.*?^    }\n", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    assert found is not None
    site = found[0].replace("127.0.0.1:8000", f"127.0.0.1:{chat}").replace("listen 443 ssl", "listen PORT")
    assert "buffering" not in site
    return site


@pytest.fixture(params=SITES)
def nginx(request: pytest.FixtureRequest, base_url: str, tmp_path: Path) -> Iterator[Nginx]:
    """In front of the chat. What it has to complain of fails the test."""
    port = urlsplit(base_url).port
    assert port is not None
    server = Nginx(find_program(), tmp_path / "nginx", make_site(request.param, port))
    try:
        server.start()
        yield server
    finally:
        server.stop()
    assert server.complaints() == ""


@pytest.fixture
def grace(io_loop: IOLoop, visit: Callable[..., Visitor], nginx: Nginx) -> Visitor:
    """Somebody who comes through nginx; `ada` goes to the chat itself."""
    visitor = visit(nginx.address)
    io_loop.run_sync(visitor.sign_up)
    return visitor


async def test_each_event_arrives_while_nothing_else_is_sent(ada: Visitor, grace: Visitor, room: int) -> None:
    """No later event, heartbeat or end pushes it through: the next post waits for it."""
    stream = await grace.stream(room)
    assert (await stream.block()).id == "0-0"
    for number in range(20):
        said = await ada.say(room, f"{number} alone")
        assert await stream.message() == said
    assert await grace.say(room, "through the same door") == await stream.message()


async def test_what_was_missed_comes_after_the_last_id(ada: Visitor, grace: Visitor, room: int) -> None:
    stream = await grace.stream(room, after="0")
    seen = await ada.say(room, "seen")
    assert await stream.message() == seen
    stream.close()
    missed = [await ada.say(room, f"missed {number}") for number in range(100)]
    again = await grace.stream(room, last=stream.cursor)
    assert await again.messages(100) == missed
    later = await ada.say(room, "later")
    assert await again.message() == later


async def test_frames_of_all_sizes_come_whole_and_the_end_is_clean(ada: Visitor, grace: Visitor, room: int) -> None:
    """Live and from the log, to who speaks HTTP/1.1 or 1.0 to nginx."""
    live = [await grace.stream(room, after="0"), await grace.stream(room, after="0", version="1.0")]
    said = [await ada.say(room, "🎉" * size) for size in (1, 2, 3, 15, 16, 255, 256, 1000, 2000)]
    said += await asyncio.gather(*[ada.say(room, "x" * 2000) for _ in range(60)])
    said = (await ada.page(room, limit=200))["messages"]
    late = [await grace.stream(room, after="0"), await grace.stream(room, after="0", version="1.0")]
    assert (await ada.fetch("DELETE", f"/rooms/{room}")).code == 204
    for stream in [*live, *late]:
        assert await stream.messages(len(said)) == said
        *_, last = await stream.rest()
        assert last.data == "[DONE]"
        assert stream.ended


async def test_the_connection_of_a_stream_is_kept_for_nothing_else(ada: Visitor, room: int) -> None:
    """It ends with its stream: a post that nginx sent over it at that moment would be answered with 502."""
    stream = await ada.stream(room)
    assert stream.headers["connection"] == "close"
