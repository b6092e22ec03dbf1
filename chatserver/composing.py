"""Composing: what is made of the plain text that somebody wrote."""

from __future__ import annotations

from typing import NamedTuple


class Composed(NamedTuple):
    """`html` only where formatting makes it differ from the plain text. `mentions`: the ids of users."""

    html: str | None
    mentions: tuple[int, ...]


class Composing:
    async def compose(self, content: str) -> Composed:
        return Composed(None, ())
