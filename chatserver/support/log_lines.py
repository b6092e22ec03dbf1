"""Log lines: the format of records. No text from a client can move the cursor, hide text or begin a line."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
import unicodedata
from types import TracebackType

from chatserver.support.log_throttle import ThrottleRepeats

LINE_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

MAX_CHARACTERS = 4_000
"""Longest message; the rest is counted."""

MAX_TRACEBACK_CHARACTERS = 20_000
"""Longest traceback. Its end is kept, which names the error."""

_INDENT = "  "
"""Begins each line that is not a record's first, so that no text of a client looks like a record."""

log = logging.getLogger(__name__)


class SafeFormatter(logging.Formatter):
    """Escapes control characters and invisible ones, and bounds the length of a record."""

    def __init__(self) -> None:
        super().__init__(LINE_FORMAT)

    def formatMessage(self, record: logging.LogRecord) -> str:
        text = record.message
        if len(text) > MAX_CHARACTERS:
            text = f"{text[:MAX_CHARACTERS]}… ({len(text) - MAX_CHARACTERS} more characters)"
        record.message = escape(text)
        return super().formatMessage(record)

    def formatException(
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        return _indented("".join(traceback.format_exception(ei[1])))

    def formatStack(self, stack_info: str) -> str:
        return _indented(stack_info)


def escape(text: str) -> str:
    r"""Returns the text with escapes (\x1b, \u2028) for controls, formats, separators (categories C, Zl, Zp)."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_written(character) for character in text)


def set_up() -> None:
    """Sends log records to stderr, throttled and safe to display; also exceptions that would bypass the log."""
    root = logging.getLogger()
    calm = ThrottleRepeats(logging.StreamHandler(sys.stderr))
    calm.setFormatter(SafeFormatter())
    root.addHandler(calm)
    root.setLevel(logging.WARNING)
    sys.unraisablehook = _log_unraisable
    threading.excepthook = _log_end_of_thread


def _written(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] != "C" and category not in {"Zl", "Zp"}:
        return character
    return character.encode("unicode_escape").decode("ascii")


def _indented(text: str) -> str:
    if len(text) > MAX_TRACEBACK_CHARACTERS:
        text = f"… {text[-MAX_TRACEBACK_CHARACTERS:]}"
    # By "\n" alone: all other ends of lines are escaped.
    return "\n".join(_INDENT + escape(line) for line in text.rstrip("\n").split("\n"))


def _log_unraisable(unraisable: sys.UnraisableHookArgs) -> None:
    log.error("an exception in %r can't be raised", unraisable.object, exc_info=unraisable.exc_value)


def _log_end_of_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None and not isinstance(ended.exc_value, SystemExit):
        log.error("a thread ended", exc_info=ended.exc_value)
