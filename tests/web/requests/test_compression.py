"""What is sent in fewer bytes, and to whom. Asked over a plain socket: a client would decode it, and say nothing."""

from __future__ import annotations

import asyncio
import gzip
from urllib.parse import urlsplit

import pytest

from chatserver.web.handlers.compression import MIN_COMPRESSED_BYTES
from tests.helpers.browserless import Stream, Visitor
from tests.helpers.html_page import Page

pytestmark = [pytest.mark.gen_test, pytest.mark.one_chat]

READERS = ["gzip", "br, GZIP;q=0.5, deflate", "*", "gzip, deflate, br, zstd"]
OTHERS = ["", "br", "identity", "gzip;q=0", "gzip;q=0.00, *", "xgzip", "*;q=0"]


async def ask(
    visitor: Visitor, path: str, encoding: str = "gzip", method: str = "GET"
) -> tuple[int, dict[str, str], bytes]:
    address = urlsplit(visitor.address)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    cookies = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    lines = [f"{method} {path} HTTP/1.1", f"Host: {address.netloc}", f"Cookie: {cookies}", "Connection: close"]
    lines += [f"Accept-Encoding: {encoding}"] if encoding else []
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    head, _, body = (await reader.read(-1)).partition(b"\r\n\r\n")
    writer.close()
    status, *rest = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    assert method == "HEAD" or int(headers.get("content-length", len(body))) == len(body)
    return int(status.split()[1]), headers, body


async def static_paths(ada: Visitor, room: int) -> list[str]:
    _, _, body = await ask(ada, f"/chat/{room}", "")
    page = Page(body.decode())
    links = [link["href"] for link in page.all("link") if link["rel"] in {"stylesheet", "icon"}]
    return [*links, *(script["src"] for script in page.all("script"))]


async def test_pages_json_and_files_are_smaller_for_who_can_read_that(ada: Visitor, room: int) -> None:
    for number in range(10):
        await ada.say(room, f"line {number}")
    paths = [f"/chat/{room}", "/chat", f"/rooms/{room}/messages", *(await static_paths(ada, room))]
    for path in paths:
        _, plain_headers, plain = await ask(ada, path, "")
        assert plain_headers.get("vary") == "Accept-Encoding", path
        for encoding in READERS:
            status, headers, body = await ask(ada, path, encoding)
            assert (status, headers["content-encoding"], headers["vary"]) == (200, "gzip", "Accept-Encoding"), path
            assert len(body) < len(plain)
            read = gzip.decompress(body)
            if path.startswith(("/static/", "/rooms/")):
                assert read == plain
        for encoding in OTHERS:
            status, headers, body = await ask(ada, path, encoding)
            assert (status, headers.get("content-encoding")) == (200, None), (path, encoding)
            assert len(body) == pytest.approx(len(plain), abs=100)  # a token has a varying length


async def test_what_is_small_stays_as_it_is(ada: Visitor) -> None:
    for path in ("/csrf", "/healthz", "/rooms/0/messages"):
        _, headers, body = await ask(ada, path)
        assert len(body) < MIN_COMPRESSED_BYTES
        assert not {"content-encoding", "vary"} & set(headers)


async def test_an_event_stream_never_waits_to_be_compressed(ada: Visitor, room: int) -> None:
    stream = Stream()
    await stream.open(ada, f"/chat/stream?room={room}", {"Accept-Encoding": "gzip"})
    assert "content-encoding" not in stream.headers
    said = await ada.say(room, "x" * 1_900)
    assert (await stream.message())["id"] == said["id"]
    stream.close()


async def test_head_says_what_get_would(ada: Visitor, room: int) -> None:
    for path in ("/chat", *(await static_paths(ada, room))[:2]):
        got, head = await ask(ada, path), await ask(ada, path, method="HEAD")
        assert head[2] == b""
        for name in ("content-encoding", "content-type", "vary"):
            assert head[1][name] == got[1][name]


async def test_each_form_of_a_file_has_a_tag_of_its_own(ada: Visitor, room: int) -> None:
    for path in await static_paths(ada, room):
        tags = {(await ask(ada, path, encoding))[1]["etag"] for encoding in ("gzip", "")}
        assert len(tags) == 2, path


async def test_an_answer_that_is_still_the_same_is_not_sent_again(ada: Visitor, room: int) -> None:
    await ada.say(room, "x" * 1_900)
    first = await ada.get(f"/rooms/{room}/messages")
    again = await ada.get(f"/rooms/{room}/messages", headers={"If-None-Match": first.headers["Etag"]})
    assert (first.code, again.code) == (200, 304)
    assert first.headers["Etag"] == again.headers["Etag"]
    assert first.headers["Etag"].startswith("W/")
