"""Those who write. Each message is repeated under its client id until it is acknowledged, and now and then after."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict, deque

from common.http_client import Answer, Person
from torture.people.insisting import Insisting
from torture.people.journal import Attempt, Journal, Post
from torture.world.doors import Door

MAX_UNDER_WAY = 1_500
"""Messages not acknowledged yet. Past it nothing new is written: the outage lasts, and the backlog with it."""

LATE_REPEATS = 200

REPLIES = 0.2
TO_THE_LAST = 300
"""Messages of a room that replies are to."""


class Posters:
    def __init__(
        self, journal: Journal, doors: list[Door], people: list[Person], rooms: list[int], rate: float, seed: int
    ) -> None:
        self._journal = journal
        self._doors = doors
        self._people = {person.id: person for person in people}
        self._rooms = rooms
        self._rate = rate
        self._random = random.Random(f"posters {seed}")
        self._insisting = Insisting(journal, doors, self._random)
        self._answered: defaultdict[int, deque[Post]] = defaultdict(lambda: deque(maxlen=TO_THE_LAST))

    async def run(self) -> None:
        """Writes until cancelled. The first room is the busiest, the last the quietest."""
        weights = [1 / (place + 1) for place in range(len(self._rooms))]
        while True:
            await asyncio.sleep(self._random.expovariate(self._rate))
            if self._insisting.under_way < MAX_UNDER_WAY:
                (room,) = self._random.choices(self._rooms, weights)
                self._insisting.begin(self._insist(self._write(room)))

    async def finish(self, seconds: float) -> None:
        """Nobody waits long any more. Returns when all is acknowledged, or time is up."""
        self._insisting.hurry()
        await self._repeat_late()
        await self._insisting.finish(seconds)

    async def say_last_words(self, seconds: float) -> None:
        """One more message in each room: who has it has everything."""
        for room in self._rooms:
            self._insisting.begin(self._insist(self._write(room, replies=0.0)))
        await self._insisting.finish(seconds)

    def _write(self, room: int, replies: float = REPLIES) -> Post:
        person = self._random.choice(list(self._people.values()))
        client_id = f"c{len(self._journal.posts)}-{self._random.getrandbits(32):x}"
        text = self._journal.texts.write(self._random, (person.id, client_id))
        answered = self._answered[room]
        reply_to = self._random.choice(answered) if answered and self._random.random() < replies else None
        post = Post(room, person.id, client_id, text, reply_to=reply_to)
        self._journal.posts.append(post)
        return post

    async def _repeat_late(self) -> None:
        """Some who had their answer long ago ask again: Redis has forgotten them, the archive never does."""
        answered = [post for post in self._journal.posts if post.acknowledged is not None]
        for post in self._random.sample(answered, min(LATE_REPEATS, len(answered))):
            await self._attempt(post, self._random.choice(self._doors))

    async def _insist(self, post: Post) -> None:
        async def ask(door: Door) -> None:
            await self._attempt(post, door)

        await self._insisting.until_settled(ask, lambda: post.acknowledged is not None or post.refused)
        if post.acknowledged is not None:
            self._answered[post.room].append(post)
        await self._insisting.now_and_then_again(ask)

    async def _attempt(self, post: Post, door: Door) -> None:
        body = {
            "room_id": post.room,
            "content": self._journal.texts.content(post.text),
            "client_id": post.client_id,
        }
        if post.reply_to is not None and post.reply_to.acknowledged is not None:
            body["reply_to"] = post.reply_to.acknowledged.id
        person = self._people[post.user]
        attempt, answer = await self._insisting.attempt(post.attempts, door, person, "POST", "/messages", body)
        if answer is None:
            return
        if attempt.succeeded:
            self._read(post, attempt, answer)
        elif not door.may_answer(answer.status) and not (answer.status == 422 and _replies_to_deleted(post)):
            self._journal.odd(f"POST {post.client_id} via {door.name}: {answer.status} {answer.body[:200]!r}")

    def _read(self, post: Post, attempt: Attempt, answer: Answer) -> None:
        """What a repeat is answered with may have been edited or deleted by then."""
        message = answer.json()["message"]
        attempt.id = answer.json()["id"]
        word = self._journal.texts.read(message["content"], post.name)
        is_it = (message["id"], message["user_id"], message["client_id"]) == (attempt.id, *post.name)
        texts = {post.text, *(wish.text for wish in post.wishes)}
        if not is_it or (not message.get("deleted") and word not in texts):
            self._journal.odd(f"POST {post.client_id} answered with another message: {message}")


def _replies_to_deleted(post: Post) -> bool:
    return post.reply_to is not None and post.reply_to.deletion_asked
