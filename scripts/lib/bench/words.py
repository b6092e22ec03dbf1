"""The bytes that every candidate is given: one message as the chat sends it, padded to a size."""

from __future__ import annotations

import json

from common.http_client import LOOPBACK, request_head

TIME = "T" * 20
"""Where the poster puts the time of sending."""

NUMBER = "N" * 12
"""Where it puts a number that no other post has."""

FRAME_BYTES = 240

_CREATED_AT = "2026-01-01T00:00:00.000Z"
_ID = "1795452475863-0"


def content(frame_bytes: int, room: int = 1) -> str:
    """A message's text, such that the chat's frame around it has this size."""
    return f"t={TIME}".ljust(frame_bytes - len(_frame("", room)), "x")


def payload(frame_bytes: int, room: int = 1) -> bytes:
    """A message as the chat puts it behind `data:`."""
    return _data(content(frame_bytes, room), room).encode()


def body(frame_bytes: int, room: int = 1) -> bytes:
    """What a client of the chat posts to have that message made."""
    return json.dumps({"room_id": room, "content": content(frame_bytes, room), "client_id": NUMBER}).encode()


def http_post(path: str, headers: dict[str, str], body: bytes) -> bytes:
    return http_head("POST", path, headers | {"Content-Length": str(len(body))}) + body


def http_head(method: str, path: str, headers: dict[str, str]) -> bytes:
    return request_head(method, path, {"Host": LOOPBACK, **headers})


def _frame(text: str, room: int) -> str:
    return f"id: {_ID}\ndata: {_data(text, room)}\n\n"


def _data(text: str, room: int) -> str:
    message = {"id": _ID, "prev": _ID, "room_id": room, "user_id": 1, "user_name": "b", "content": text}
    return json.dumps(message | {"created_at": _CREATED_AT, "client_id": NUMBER}, separators=(",", ":"))
