"""Those who edit, delete and react. What got no answer is repeated: that is harmless, whatever it did."""

from __future__ import annotations

import asyncio
import random
from urllib.parse import quote

from common.http_client import Person
from torture.people.insisting import Insisting
from torture.people.journal import TOO_LATE, Journal, Post, Wish
from torture.world.doors import Door

MAX_UNDER_WAY = 300

LATELY = 150
"""Most changes are of one of the last so many messages; the others of any."""

EMOJI = ["👍", "❤️", "😂", "🎉", "👩🏽‍🚀"]
KINDS, WEIGHTS = ["edited", "deleted", "reaction", "race"], [35, 8, 50, 7]


class Changers:
    """`rate`: changes a second in all rooms."""

    def __init__(self, journal: Journal, doors: list[Door], people: list[Person], rate: float, seed: int) -> None:
        self._journal = journal
        self._people = {person.id: person for person in people}
        self._rate = rate
        self._random = random.Random(f"changers {seed}")
        self._insisting = Insisting(journal, doors, self._random)

    async def run(self) -> None:
        """Changes messages until cancelled."""
        while True:
            await asyncio.sleep(self._random.expovariate(self._rate))
            post = self._pick()
            if post is None or self._insisting.under_way >= MAX_UNDER_WAY:
                continue
            (kind,) = self._random.choices(KINDS, WEIGHTS)
            for each in ["edited", "deleted", "reaction"] if kind == "race" else [kind]:
                self._insisting.begin(self._insist(self._wish(each, post)))

    def hurry(self) -> None:
        """Nobody waits long any more."""
        self._insisting.hurry()

    async def finish(self, seconds: float) -> None:
        """Returns when all is settled, or time is up."""
        await self._insisting.finish(seconds)

    def _pick(self) -> Post | None:
        """A message that was acknowledged: before that nobody knows its id for sure."""
        posts = self._journal.posts
        among = posts[-LATELY:] if self._random.random() < 0.8 else posts
        tried = (self._random.choice(among) for _ in range(10 if among else 0))
        return next((post for post in tried if post.acknowledged is not None), None)

    def _wish(self, kind: str, post: Post) -> Wish:
        wish = Wish(kind, post, post.user)
        if kind == "edited":
            wish.text = self._journal.texts.write(self._random, post.name)
        elif kind == "reaction":
            wish.user = self._random.choice(list(self._people))
            wish.emoji = self._random.choice(EMOJI)
            wish.on = self._random.random() < 0.7
        post.wishes.append(wish)
        self._journal.wishes.append(wish)
        return wish

    async def _insist(self, wish: Wish) -> None:
        async def ask(door: Door) -> None:
            await self._attempt(wish, door)

        await self._insisting.until_settled(ask, lambda: wish.acknowledged is not None or wish.came_too_late)
        if wish.kind == "deleted":  # to repeat another would take back what came after it
            await self._insisting.now_and_then_again(ask)

    async def _attempt(self, wish: Wish, door: Door) -> None:
        path, method, body = f"/rooms/{wish.post.room}/messages/{wish.message}", "DELETE", None
        if wish.kind == "edited":
            method, body = "PATCH", {"content": self._journal.texts.content(wish.text)}
        elif wish.kind == "reaction":
            method, path = "PUT" if wish.on else "DELETE", f"{path}/reactions/{quote(wish.emoji)}"
        person = self._people[wish.user]
        attempt, answer = await self._insisting.attempt(wish.attempts, door, person, method, path, body)
        if answer is None:
            return
        if answer.status == TOO_LATE and wish.kind != "deleted" and wish.post.deletion_asked:
            return
        if not attempt.succeeded:
            if not door.may_answer(answer.status):
                self._journal.odd(f"{method} {path} via {door.name}: {answer.status} {answer.body[:200]!r}")
        elif wish.kind == "edited":
            message = answer.json()
            word = self._journal.texts.read(message["content"], wish.post.name)
            if message["id"] != wish.message or word in {"", "?"} or not message.get("edited_at"):
                self._journal.odd(f"{method} {path} answered with another message: {message}")
