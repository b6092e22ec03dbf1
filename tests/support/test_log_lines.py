"""Nothing that a client sent can do anything in the log but be read."""

from __future__ import annotations

import logging
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.support.log_lines import MAX_CHARACTERS, MAX_TRACEBACK_CHARACTERS, SafeFormatter, escape


def written(text: str, *arguments: object, error: BaseException | None = None) -> str:
    info = None if error is None else (type(error), error, error.__traceback__)
    return SafeFormatter().format(logging.LogRecord("chat", logging.WARNING, __file__, 1, text, arguments, info))


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ("\x9b31mRED", r"\x9b31mRED"),
        ("\x1b[2J", r"\x1b[2J"),
        ("a\r\nb", r"a\r\nb"),
        ("a\u2028b\u2029c\x85d", r"a\u2028b\u2029c\x85d"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\ud800", r"\ud800"),
        ("a\u200bb", r"a\u200bb"),
        ("\U000e0041", r"\U000e0041"),
        ("Zoë said 你好 🎉", "Zoë said 你好 🎉"),
    ],
)
def test_what_controls_or_hides_is_written_out(sent: str, seen: str) -> None:
    assert escape(sent) == seen
    assert written("GET %s", sent).endswith(f"GET {seen}")
    assert written(f"GET {sent}").endswith(f"GET {seen}")


@given(st.text(st.characters(exclude_categories=())))
def test_no_character_of_control_is_ever_left(text: str) -> None:
    line = written("%s", text)
    assert not [each for each in line if unicodedata.category(each)[0] == "C" or each in "\u2028\u2029"]
    line.encode()


def test_the_text_of_an_error_can_t_begin_a_line() -> None:
    try:
        raise ValueError("wrong\n2026-01-01 00:00:00,000 ERROR chat: forged\r\x9b2J\u2028also")
    except ValueError as error:
        lines = written("broken", error=error).split("\n")
    assert [line for line in lines[1:] if not line.startswith("  ")] == []
    assert r"\r\x9b2J\u2028also" in lines[-1]
    assert any("Traceback (most recent call last)" in line for line in lines)


def test_a_long_text_is_cut_and_counted() -> None:
    line = written("%s", "x" * (MAX_CHARACTERS + 7))
    assert line.endswith("x… (7 more characters)")
    assert len(line) < MAX_CHARACTERS + 200
    assert len(written("broken", error=ValueError("x" * 1_000_000))) < MAX_TRACEBACK_CHARACTERS + 200


PASSES_BY = """
import threading
from chatserver.support import log_lines

log_lines.set_up()

class Broken:
    def __del__(self):
        raise ValueError("can't be\\x9b raised")

def die():
    raise KeyError("in a thread")

for _ in range(100):
    Broken()
threads = [threading.Thread(target=die) for _ in range(20)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_what_would_pass_the_log_by_goes_through_it() -> None:
    """In a process of its own: pytest has hooks of its own for what is raised where nobody can catch it."""
    said = subprocess.run(
        [sys.executable, "-c", PASSES_BY], capture_output=True, text=True, check=True, timeout=60
    ).stderr
    assert said.count("Traceback") == 2
    assert said.count("(and 98 more like it)") == 1
    assert said.count("(and 18 more like it)") == 1
    assert "ValueError: can't be\\x9b raised" in said
    assert "\x9b" not in said
