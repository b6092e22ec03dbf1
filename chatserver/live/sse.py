"""Server-Sent Events: events and notices as bytes. Pure functions, no I/O.

Format: https://html.spec.whatwg.org/multipage/server-sent-events.html. What matters here:

- `id` and `data` stand in one block, closed by a blank line. A block that is cut off is discarded whole by the reader,
  its id too, so a torn write never moves a cursor.
- A block with an `id` and no `data` moves the cursor and fires nothing.
- CR, LF and CRLF end a line. Everything sent here is JSON or digits, which contain neither.
"""

from __future__ import annotations

import msgspec

from chatserver.model.cursor import Cursor
from chatserver.model.event_kinds import MESSAGE, TEXTS_OF_CHANGES, Sent, kind_of, payload_without_text
from chatserver.model.events import Event

HEARTBEAT = b":\n\n"
DONE = b"data: [DONE]\n\n"
LAST_CHUNK = b"0\r\n\r\n"


def frame(event: Event) -> bytes:
    """Returns the frame of an event. A message has no `event:` field; the closing of a room ends the stream."""
    match kind_of(event).sent:
        case Sent.AS_MESSAGE:
            return b"id: %d-%d\ndata: %b\n\n" % (*event.id, event.json())
        case Sent.BY_NAME:
            return b"id: %d-%d\nevent: %b\ndata: %b\n\n" % (*event.id, event.kind.encode(), event.json())
        case Sent.AS_END:
            return b"id: %d-%d\n%b" % (*event.id, DONE)
        case Sent.NEVER:
            return b""


def without_text(frame: bytes, id: Cursor) -> bytes:
    """Returns the frame without its text, if it belongs to the message with this id or to an edit of it."""
    head, _, data = frame.partition(b"data: ")
    name = b'"%d-%d"' % id
    if data.startswith(b'{"id":%b,' % name) and b"event:" not in head:
        return b"%bdata: %b\n\n" % (head, payload_without_text(MESSAGE, data))
    if b'"message_id":%b,' % name in data:
        for kind in TEXTS_OF_CHANGES:
            if b"event: %b\n" % kind.encode() in head:
                return b"%bdata: %b\n\n" % (head, payload_without_text(kind, data))
    return frame


def blanked(data: bytes, begun: int, room_id: int, id: Cursor) -> bytes | None:
    """Returns bytes of a stream without the text of this message, and exactly as many: the length of a chunk is sent
    before it. Spaces behind JSON mean nothing.

    Returns None if it is too late: the first `begun` bytes are out, and end inside such a frame.
    """
    if b'"%d-%d"' % id not in data:
        return data
    *blocks, rest = data.split(b"\n\n")
    of_room = b'"room_id":%d,' % room_id
    start = 0
    for index, block in enumerate(blocks):
        end = start + len(block) + 2
        if end > begun and of_room in block:
            frame = block + b"\n\n"
            blank = without_text(frame, id)
            if blank[:-2] != block.rstrip(b" "):
                if start < begun:
                    return None
                if len(blank) > len(frame):
                    blank = blank.replace(b',"deleted":true}\n\n', b"}\n\n")
                blocks[index] = blank[:-2].ljust(len(block))
        start = end
    return b"\n\n".join([*blocks, rest])


def opening(cursor: Cursor, retry_ms: int) -> bytes:
    """Returns the first bytes of a stream: reconnect delay (milliseconds) and cursor. The event name keeps the block
    from being taken for a message by libraries that hand on blocks without data."""
    return b"retry: %d\nid: %d-%d\nevent: cursor\n\n" % (retry_ms, *cursor)


def reset(room_id: int, cursor: Cursor) -> bytes:
    """Says that the cursor asked for can't be served exactly; the stream goes on from this one."""
    data = msgspec.json.encode({"room_id": room_id, "cursor": str(cursor)})
    return b"event: reset\nid: %d-%d\ndata: %b\n\n" % (*cursor, data)


def many_opening(places: str, retry_ms: int) -> bytes:
    """Returns the first bytes of a stream of many rooms. `places`: the combined cursor."""
    return b"retry: %d\nid: %b\nevent: cursor\n\n" % (retry_ms, places.encode())


def many_reset(places: str, room_id: int, cursor: Cursor) -> bytes:
    """Says that the cursor asked for in one of many rooms can't be served exactly; the others go on."""
    data = msgspec.json.encode({"room_id": room_id, "cursor": str(cursor)})
    return b"event: reset\nid: %b\ndata: %b\n\n" % (places.encode(), data)


def many_closed(places: str, room_id: int) -> bytes:
    """Says that one of many rooms is closed; the stream goes on with the others."""
    return b"id: %b\n%b" % (places.encode(), _closed(room_id))


def without_id(frame: bytes, room_id: int) -> tuple[bytes, bytes]:
    """Splits a room's frame for a stream of many rooms: its id, and everything behind that line. In such a stream the
    closing of a room does not end the stream."""
    end_of_line = frame.index(b"\n")
    rest = frame[end_of_line + 1 :]
    return frame[len(b"id: ") : end_of_line], _closed(room_id) if rest == DONE else rest


def retry(milliseconds: int) -> bytes:
    """Returns the block that sets the reader's reconnect delay."""
    return b"retry: %d\n\n" % milliseconds


def chunk(data: bytes) -> bytes:
    """Returns the bytes as one chunk of an HTTP/1.1 body (RFC 9112, section 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def signal(name: str, data: bytes) -> bytes:
    """Returns the frame of a signal: no `id`, so it moves no cursor and is not replayed. `data`: JSON, one line."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), data)


def _closed(room_id: int) -> bytes:
    return b'event: closed\ndata: {"room_id":%d}\n\n' % room_id
