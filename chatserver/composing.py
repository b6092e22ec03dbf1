"""Composing: from what somebody wrote to what the others see of it."""

from __future__ import annotations

from chatserver.formatting import PLAIN, Composed, Formatting, may_need_html
from chatserver.mentions import possible_names
from chatserver.people import People


class Composing:
    def __init__(self, people: People) -> None:
        self._people = people
        self._formatting = Formatting()

    async def compose(self, content: str) -> Composed:
        """The content as HTML, and who is mentioned in it. Never fails, and asks the database only if there is an `@`.

        While no MongoDB at all answers, names are not known: the message then goes its way without mentions.
        It is seen live, and archived later, as all others are; to hold it back would cost its readers more.
        """
        if not may_need_html(content):
            return PLAIN
        names = possible_names(content) if "@" in content else None
        users = await self._people.find_now(names) if names else {}
        return self._formatting.format(content, users)
