"""Formatting ends in time, whatever was written, and costs nobody else anything."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Iterator

import pytest
from tornado.ioloop import IOLoop

from chatserver.app import Chat
from chatserver.messages import formatter_pool
from chatserver.messages.formatter_pool import SHORT_CHARACTERS, Formatters
from chatserver.messages.formatting import PLAIN, Composed, Formatting
from common.usage import children
from tests.conftest import ROOT
from tests.helpers.browserless import Visitor
from tests.helpers.processes_seen import is_alive
from tests.helpers.waiting import until

pytestmark = pytest.mark.gen_test

STUBBORN = """
import time
from chatserver.messages import formatting_worker
from chatserver.messages.formatting import Formatting

format = Formatting.format

def stubborn(self, content, spellings):
    if content.startswith("spin"):
        while True:
            pass
    if content.startswith("sleep"):
        time.sleep(1_000)
    if content.startswith("deep"):
        raise RecursionError
    print("not an answer")
    return format(self, content, spellings)

Formatting.format = stubborn
formatting_worker.main()
"""
"""What a worker runs in whose formatter there is something that nobody knows of yet."""

LONG = " **x**" * (SHORT_CHARACTERS // 6 + 1)


@pytest.fixture
def pool(io_loop: IOLoop) -> Iterator[Formatters]:
    pool = Formatters()
    yield pool
    io_loop.run_sync(pool.close)


@pytest.fixture
def stubborn(io_loop: IOLoop) -> Iterator[Formatters]:
    pool = Formatters(("-c", STUBBORN))
    yield pool
    io_loop.run_sync(pool.close)


def workers() -> set[int]:
    return {pid for pid in children(os.getpid()) if is_alive(pid) and b"formatting_worker" in _command(pid)}


def _command(pid: int) -> bytes:
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read()


async def test_what_is_short_needs_no_other_process(pool: Formatters) -> None:
    assert (await pool.format("**x** @Ada", {"Ada": 3})).mentions == (3,)
    assert workers() == set()


@pytest.mark.parametrize(
    "content", [LONG, "```python\nfor x in y: pass\n```", "> - " * 200 + "x", LONG + "@Ada, hi", "x" * 400]
)
async def test_what_is_long_or_code_is_formatted_in_another_process_just_the_same(
    pool: Formatters, content: str
) -> None:
    expected = Formatting().format(content, {"Ada": 3})
    assert await asyncio.gather(*(pool.format(content, {"Ada": 3}) for _ in range(6))) == [expected] * 6
    assert 1 <= len(workers()) <= formatter_pool.WORKERS


@pytest.mark.parametrize("what", ["spin", "sleep"])
async def test_what_takes_too_long_is_shown_as_it_was_written(
    stubborn: Formatters, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    """A process of its own computes, or waits, for ever: it is ended, and another takes the next message."""
    assert (await stubborn.format(LONG, {})).html
    (first,) = workers()
    if what == "sleep":
        monkeypatch.setattr(formatter_pool, "DEADLINE_SECONDS", 0.2)
    taking_long = asyncio.create_task(stubborn.format(f"{what} {LONG} @Ada", {"Ada": 3}))
    await asyncio.sleep(0)
    assert (await stubborn.format("**x**", {})).html == "<p><strong>x</strong></p>"
    assert not taking_long.done(), "others are formatted meanwhile"
    html, mentions = await taking_long
    assert html == f'<p>{what} {LONG} <span class="mention" data-user-id="3">@Ada</span></p>'
    assert mentions == (3,)
    assert not is_alive(first)
    monkeypatch.undo()
    assert (await stubborn.format(LONG, {})).html == (await stubborn.format(LONG, {})).html is not None
    (line,) = caplog.messages
    assert "takes too long" in line


async def test_what_goes_wrong_in_a_process_is_said_and_the_next_message_is_formatted(
    stubborn: Formatters, caplog: pytest.LogCaptureFixture
) -> None:
    assert await stubborn.format(f"deep {LONG}", {}) == PLAIN
    (worker,) = workers()
    assert (await stubborn.format(LONG, {})).html
    assert workers() == {worker}
    assert ["RecursionError" in line for line in caplog.messages] == [True]


async def test_a_process_that_was_killed_while_idle_costs_no_message_its_html(
    pool: Formatters, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await pool.format(LONG, {})).html
    (worker,) = workers()
    os.kill(worker, signal.SIGKILL)
    await until(lambda: worker not in workers())
    await until(lambda: not pool._idle[0].runs)
    assert (await pool.format(LONG, {})).html
    assert worker not in workers()
    assert caplog.records == []


async def test_a_crowd_is_shown_as_it_was_written_beyond_what_may_wait(
    pool: Formatters, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(formatter_pool, "MAX_WAITING_TEXTS", 3)
    at_once = formatter_pool.WORKERS + 3
    composed = await asyncio.gather(*(pool.format(LONG + "@Ada", {"Ada": 3}) for _ in range(at_once + 2)))
    assert [("<strong>" in (html or ""), mentions) for html, mentions in composed].count((True, (3,))) == at_once
    assert all(mentions == (3,) for _, mentions in composed)
    assert [line.rpartition(": ")[2] for line in caplog.messages] == ["too many are waiting"] * 2


async def test_where_no_process_can_be_started_all_is_shown_as_it_was_written(
    pool: Formatters, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    assert await pool.format(LONG, {}) == PLAIN
    monkeypatch.undo()
    assert (await pool.format(LONG, {})).html
    assert len(caplog.messages) == 1


async def test_the_processes_end_with_the_chat(pool: Formatters) -> None:
    await pool.format(LONG, {})
    assert workers()
    await pool.close()
    assert workers() == set()


PARENT = f"""
import asyncio, os, signal, sys
from chatserver.messages.formatter_pool import Formatters

async def main():
    pool = Formatters(("-c", sys.argv[1]))
    await pool.format({LONG!r}, {{}})
    hung = asyncio.create_task(pool.format("sleep" + {LONG!r}, {{}}))
    await asyncio.sleep(0.1)
    print(pool._all.pop()._process.pid, flush=True)
    await asyncio.sleep(1_000)

asyncio.run(main())
"""


async def test_the_processes_end_with_their_parent_even_by_kill_9() -> None:
    """Also one that is deaf to the end of its input."""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, STUBBORN, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert parent.stdout is not None
    worker = int(await parent.stdout.readline())
    assert is_alive(worker)
    parent.kill()
    await parent.wait()
    await until(lambda: not is_alive(worker))


async def test_a_message_that_cannot_be_formatted_is_posted_as_it_was_written(
    ada: Visitor, room: int, chat: Chat, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(self: Formatting, content: str, spellings: object) -> Composed:
        raise RecursionError

    monkeypatch.setattr(Formatting, "format", fail)
    said = await ada.say(room, f"**hi** @{ada.name}")
    assert said["content"] == f"**hi** @{ada.name}"
    assert said["mentions"] == [ada.id]
    await ada.edit(room, said["id"], "**bye**")
    assert (await ada.page(room))["messages"][0]["content"] == "**bye**"
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2
