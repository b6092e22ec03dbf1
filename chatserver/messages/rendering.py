"""Composing: turns a content into the form that readers see."""

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
        """Returns the content as HTML, and its mentions. Never fails, and asks the database only if there is an `@`.

        While no MongoDB at all answers, names are unknown: the message is then sent without mentions. It is seen live,
        and archived later, like all others; to hold it back would cost its readers more.
        """
        if not may_need_html(content):
            return PLAIN
        found = candidates(content) if "@" in content else []
        users = await self._people.find_now(possible_names(found)) if found else {}
        return await self._formatters.format(content, spellings(found, users))
