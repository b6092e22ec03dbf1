"""Search: as JSON, and as a page."""

from __future__ import annotations

from urllib.parse import urlencode

from chatserver.errors import ChatError, Invalid, Malformed, SignInFirst
from chatserver.model.cursor import Cursor
from chatserver.quotas.quotas import SEARCHING, counted_as
from chatserver.search.query import Query
from chatserver.search.search import MAX_PAGE, PAGE_SIZE, Results
from chatserver.web.handlers.base import Handler, room_number

MAX_QUERY = 200
"""Length in characters."""


class SearchHandler(Handler):
    answers_at_length = True
    open_to_all = True
    quotas = counted_as(GET=[SEARCHING])

    async def prepare(self) -> None:
        await super().prepare()
        if self.session is None:
            if not self.wants_page():
                raise SignInFirst
            self.redirect(self.sign_in_path())

    async def get(self) -> None:
        self.set_header("Vary", "Accept")
        if self.wants_page():
            await self._show()
            return
        query = self._query()
        found = await self._find(query)
        results = [
            {"message": message, "room_name": room_name, "snippet": query.snippet(message.content)}
            for message, room_name in found.results
        ]
        rest = {"next": found.next} if found.has_more else {}
        self.write_json(200, {"results": results, "has_more": found.has_more, **rest})

    async def _show(self) -> None:
        """Shows an empty page if there is no query; an error stands beside the field."""
        query, found, error, status = None, Results([]), None, 200
        if self._argument("q"):
            try:
                query = self._query()
                found = await self._find(query)
            except ChatError as refused:
                self.say_when(refused)
                error, status = refused.text, refused.status
        results = [
            (message, room_name, query.marked(query.snippet(message.content)))
            for message, room_name in found.results
            if query is not None
        ]
        older = None
        if found.has_more:
            asked = {name: value for name in ("q", "room", "from", "limit") if (value := self._argument(name))}
            older = "/search?" + urlencode(asked | {"before": found.next})
        self.render_page(
            "search.html",
            status=status,
            query=self._argument("q") or "",
            chosen_room=self._argument("room") or "",
            author=self._argument("from") or "",
            is_first_page=self._argument("before") is None,
            rooms=await self.services.rooms.all(),
            searched=query is not None and error is None,
            results=results,
            older=older,
            error=error,
        )

    async def _find(self, query: Query) -> Results:
        room = self._argument("room")
        return await self.services.search.find(
            self.user.id,
            query,
            room_id=room_number(room) if room else None,
            author=self._argument("from") or None,
            before=self._before(),
            limit=self._limit(),
        )

    def _query(self) -> Query:
        """Parses the query. Raises Malformed, Invalid."""
        text = self._argument("q") or ""
        if len(text) > MAX_QUERY:
            raise Invalid("that is too long to search for")
        query = Query.read(text)
        if query is None:
            raise Malformed("type a word to search for")
        return query

    def _before(self) -> Cursor | None:
        text = self._argument("before")
        try:
            return Cursor.parse(text) if text else None
        except ValueError:
            raise Malformed("before is not the id of a message") from None

    def _limit(self) -> int:
        text = self._argument("limit")
        if text is None:
            return PAGE_SIZE
        if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MAX_PAGE):
            raise Malformed(f"limit is 1 to {MAX_PAGE}")
        return int(text)

    def _argument(self, name: str) -> str | None:
        return self.get_query_argument(name, None)
