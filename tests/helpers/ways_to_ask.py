"""Where one thing can be asked for in several ways: each as options of `Visitor.fetch` and `Visitor.stream`."""

from __future__ import annotations

from typing import TypedDict


class Sending(TypedDict, total=False):
    """What goes with a request of `Visitor.fetch`."""

    json_body: object
    form: dict[str, str]
    body: bytes


class Start(TypedDict, total=False):
    """From where a stream of `Visitor.stream` goes on."""

    last: str
    after: str


def starts(cursor: str) -> tuple[Start, Start]:
    """The cursor in the header that a browser sends, and in the address."""
    return {"last": cursor}, {"after": cursor}
