"""Composing: from what somebody wrote to what the others see of it."""

from __future__ import annotations

from chatserver.accounts.lookup import UserLookup
from chatserver.messages.formatter_pool import Formatters
from chatserver.messages.formatting import PLAIN, Composed, may_need_html
from chatserver.messages.mentions import candidates, possible_names, spellings


class Composing:
    def __init__(self, people: UserLookup, formatters: Formatters) -> None:
        self._people = people
        self._formatters = formatters

    async def compose(self, content: str) -> Composed:
        """The content as HTML, and who is mentioned in it. Never fails, and asks the database only if there is an `@`.

        While no MongoDB at all answers, names are not known: the message then goes its way without mentions.
        It is seen live, and archived later, as all others are; to hold it back would cost its readers more.
        """
        if not may_need_html(content):
            return PLAIN
        found = candidates(content) if "@" in content else []
        users = await self._people.find_now(possible_names(found)) if found else {}
        return await self._formatters.format(content, spellings(found, users))
