"""The log of an outage stays short whatever goes wrong, and says how much it left out."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref
from collections.abc import Iterator

import pytest

from chatserver.support import log_throttle
from chatserver.support.log_throttle import EVERY_SECONDS, KINDS_REMEMBERED, LINES_IN_ALL, Burst, ThrottleRepeats
from tests.helpers.waiting import wait_until


class Lines(logging.Handler):
    """Keeps what reaches it."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())

    def taken(self) -> list[str]:
        texts, self.texts = self.texts, []
        return texts


class Log:
    """A calm log whose time is moved by hand; no timer of it is ever due."""

    def __init__(self) -> None:
        self.now = 100.0
        self.lines = Lines()
        self.calm = ThrottleRepeats(self.lines, lambda: self.now)
        self.logger = logging.Logger("chatserver.http")
        self.logger.addHandler(self.calm)


@pytest.fixture
def log() -> Iterator[Log]:
    made = Log()
    yield made
    made.calm.close()


def test_what_is_said_again_and_again_is_said_once_with_how_often(log: Log) -> None:
    log.logger.warning("%s: no archive", "POST /messages")
    for number in range(50):
        log.logger.warning("%s: no archive", f"GET /{number}")
    log.logger.warning("a stream has to wait: %s", "full")
    assert log.lines.taken() == ["POST /messages: no archive", "a stream has to wait: full"]
    log.now += EVERY_SECONDS
    log.logger.warning("%s: no archive", "GET /x")
    assert log.lines.taken() == ["GET /x: no archive (and 50 more like it)"]
    log.now += EVERY_SECONDS
    log.logger.warning("%s: no archive", "GET /y")
    assert log.lines.taken() == ["GET /y: no archive"]


@pytest.mark.parametrize("level", [logging.ERROR, logging.CRITICAL])
def test_errors_are_said_once_as_well(log: Log, level: int) -> None:
    for number in range(1000):
        log.logger.log(level, "broken %d", number)
    assert log.lines.taken() == ["broken 0"]


def test_what_was_left_out_is_told_even_if_it_never_comes_again(log: Log) -> None:
    for number in range(4):
        log.logger.error("broken %d", number)
    log.lines.taken()
    log.calm.say_what_was_left_out()
    assert log.lines.taken() == []  # it may still come again
    log.now += EVERY_SECONDS
    log.calm.say_what_was_left_out()
    assert log.lines.taken() == ["broken 1 (and 2 more like it)"]
    log.calm.say_what_was_left_out()
    assert log.lines.taken() == []


def test_a_timer_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_throttle, "EVERY_SECONDS", 0.2)
    log = Log()
    logger, calm = log.logger, ThrottleRepeats(log.lines)
    logger.handlers = [calm]
    for _ in range(100):
        logger.error("broken")
    wait_until(lambda: sum(map(_count, log.lines.texts)) == 100, "all is told")
    assert len(log.lines.texts) < 10
    calm.close()


def _count(text: str) -> int:
    return 1 + (int(text.split("(and ")[1].split()[0]) if "(and " in text else 0)


def test_the_end_tells_it(log: Log) -> None:
    for number in range(3):
        log.logger.error("broken %d", number)
    log.calm.close()
    assert log.lines.taken() == ["broken 0", "broken 1 (and 1 more like it)"]


def test_exceptions_of_two_kinds_are_two_kinds(log: Log) -> None:
    for error in [OSError(24, "no descriptor"), ValueError("x"), ValueError("y"), OSError(24, "none")]:
        try:
            raise error
        except (OSError, ValueError):
            log.logger.exception("Error in connection callback")
    assert len(log.lines.taken()) == 2


def test_one_kind_of_asyncios_errors_is_one_though_each_text_differs(log: Log) -> None:
    """asyncio puts its texts together by itself, with the addresses of what they are about."""
    logging.getLogger("asyncio").addHandler(log.calm)
    try:
        loop = asyncio.new_event_loop()
        for number in range(500):
            loop.call_exception_handler({"message": f"Exception in callback {number} at {hex(id(loop) + number)}"})
        loop.close()
    finally:
        logging.getLogger("asyncio").removeHandler(log.calm)
    assert len(log.lines.taken()) == 1


def test_ever_new_kinds_fill_neither_the_log_nor_the_memory(log: Log) -> None:
    for number in range(KINDS_REMEMBERED * 3):
        text = f"broken in a way of its own: {_letters(number)}"
        log.logger.error(text)
    assert len(log.lines.taken()) == LINES_IN_ALL
    assert len(log.calm._kinds) <= KINDS_REMEMBERED
    log.now += EVERY_SECONDS
    log.calm.say_what_was_left_out()
    assert log.lines.taken() == [f"{KINDS_REMEMBERED * 3 - LINES_IN_ALL} more lines of many kinds were left out"]


def _letters(number: int) -> str:
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


def test_a_burst_gets_as_many_lines_as_it_asks_for_and_takes_none_of_the_others(log: Log) -> None:
    for number in range(LINES_IN_ALL * 2):
        log.logger.warning("event %s", number, extra={"burst": Burst(f"kind {number}", 3)})
    assert len(log.lines.taken()) == LINES_IN_ALL
    log.logger.error("broken")
    assert log.lines.taken() == ["broken"]
    log.now += EVERY_SECONDS
    for _ in range(5):
        log.logger.warning("event", extra={"burst": Burst("again", 3)})
    assert log.lines.taken().count("event") == 3


def test_what_was_left_out_keeps_nothing_alive(log: Log) -> None:
    class Request:
        pass

    request = Request()
    gone = weakref.ref(request)
    for _ in range(3):
        log.logger.error("broken: %s", request)
    del request
    gc.collect()
    assert gone() is None


def test_a_record_that_does_not_fit_its_text_breaks_nothing(log: Log, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(3):
        log.logger.error("%d %d", "one")
    log.logger.error("and on it goes")
    assert "and on it goes" in log.lines.taken()
    assert "--- Logging error ---" in capsys.readouterr().err
