"""The log of an outage stays short, and says how much it left out."""

from __future__ import annotations

import logging

from chatserver.calm_log import EVERY_SECONDS, Calm


def say(calm: Calm, text: str, *arguments: object, level: int = logging.WARNING) -> str | None:
    record = logging.LogRecord("chatserver.http", level, __file__, 1, text, arguments, None)
    return record.getMessage() if calm.filter(record) else None


def test_what_is_said_again_and_again_is_said_once_with_how_often() -> None:
    now = 100.0
    calm = Calm(lambda: now)
    assert say(calm, "%s: no archive", "POST /messages") == "POST /messages: no archive"
    assert [say(calm, "%s: no archive", f"GET /{number}") for number in range(50)] == [None] * 50
    assert say(calm, "a stream has to wait: %s", "full") == "a stream has to wait: full"
    now += EVERY_SECONDS
    assert say(calm, "%s: no archive", "GET /x") == "GET /x: no archive (and 50 more like it)"
    now += EVERY_SECONDS
    assert say(calm, "%s: no archive", "GET /y") == "GET /y: no archive"


def test_errors_are_never_left_out() -> None:
    calm = Calm(lambda: 100.0)
    assert [say(calm, "broken", level=logging.ERROR) for _ in range(3)] == ["broken"] * 3
