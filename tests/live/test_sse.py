"""The wire format: event in, exact bytes out."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.live import sse
from chatserver.model.cursor import Cursor
from chatserver.model.events import Body, Event, draft_closing, draft_message

ID, PREV = Cursor(1795452475863, 1), Cursor(1795452475800, 0)


def message(content: str, user_name: str = "ada") -> Event:
    body = Body(42, 7, user_name, content, "2026-11-23T09:41:00.000Z", "c-1")
    draft = draft_message(body)
    return Event(42, ID, PREV, "message", 7, "c-1", draft.payload)


def on_the_wire(content: bytes, user_name: bytes = b"ada") -> bytes:
    return (
        b"id: 1795452475863-1\n"
        b'data: {"id":"1795452475863-1","prev":"1795452475800-0","room_id":42,"user_id":7,"user_name":"'
        + user_name
        + b'",'
        b'"content":"' + content + b'","created_at":"2026-11-23T09:41:00.000Z","client_id":"c-1"}\n'
        b"\n"
    )


@pytest.mark.parametrize(
    ("content", "encoded"),
    [
        ("hello", b"hello"),
        ("two\nlines", rb"two\nlines"),
        ("a\rb\r\nc", rb"a\rb\r\nc"),
        ("a\n\nb", rb"a\n\nb"),
        ("nul \0 in it", rb"nul \u0000 in it"),
        ("tab\tand bell\a", rb"tab\tand bell\u0007"),
        ("line\u2028separator\u2029", b"line\xe2\x80\xa8separator\xe2\x80\xa9"),
        ("next\u0085line", b"next\xc2\x85line"),
        ("\ufeffbom", b"\xef\xbb\xbfbom"),
        ("🎉 is one character", b"\xf0\x9f\x8e\x89 is one character"),
        ("👩‍👩‍👧", "👩‍👩‍👧".encode()),
        ('say "hi" \\ bye', rb"say \"hi\" \\ bye"),
        ("id: 0-0\ndata: mine\n\nevent: reset", rb"id: 0-0\ndata: mine\n\nevent: reset"),
        (": a comment", b": a comment"),
        ("[DONE]", b"[DONE]"),
        ("<script>alert(1)</script>", b"<script>alert(1)</script>"),
        ("&lt;b&gt;", b"&lt;b&gt;"),
    ],
)
def test_a_message_is_one_id_one_line_of_data_and_a_blank_line(content: str, encoded: bytes) -> None:
    assert sse.frame(message(content)) == on_the_wire(encoded)


def test_a_name_can_not_break_out_of_its_line_either() -> None:
    assert sse.frame(message("x", 'a"\n\ndata: b')) == on_the_wire(b"x", rb"a\"\n\ndata: b")


@given(st.text(min_size=1))
def test_whatever_is_written_a_frame_has_three_line_ends_and_gives_it_back(content: str) -> None:
    frame = sse.frame(message(content))
    assert frame.count(b"\n") == 3
    assert b"\r" not in frame
    assert b"\0" not in frame
    id_line, data_line, rest = frame.split(b"\n", 2)
    assert (id_line, rest) == (b"id: 1795452475863-1", b"\n")
    assert json.loads(data_line.removeprefix(b"data: "))["content"] == content


def test_what_is_not_a_message_has_its_own_bytes() -> None:
    closing = draft_closing(42, 7)
    void = Event(42, ID, PREV, "void", 7, "", b"{}")
    closed = Event(42, ID, PREV, "closed", 7, closing.client_id, closing.payload)
    assert sse.frame(void) == b""
    assert sse.frame(closed) == b"id: 1795452475863-1\ndata: [DONE]\n\n"
    assert sse.HEARTBEAT == b":\n\n"
    assert sse.opening(ID, 2500) == b"retry: 2500\nid: 1795452475863-1\nevent: cursor\n\n"
    assert sse.retry(3000) == b"retry: 3000\n\n"
    assert sse.reset(42, ID) == (
        b'event: reset\nid: 1795452475863-1\ndata: {"room_id":42,"cursor":"1795452475863-1"}\n\n'
    )


def test_a_chunk_says_its_length_in_hexadecimal() -> None:
    assert sse.chunk(b"x" * 27) == b"1b\r\n" + b"x" * 27 + b"\r\n"
    assert sse.LAST_CHUNK == b"0\r\n\r\n"


def test_a_signal_has_no_id() -> None:
    """So it moves no cursor, and is not asked for again."""
    assert sse.signal("typing", b'{"room_id":1}') == b'event: typing\ndata: {"room_id":1}\n\n'
