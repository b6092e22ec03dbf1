"""Those who write. Each message is repeated under its client id until it is acknowledged, and now and then after."""

from __future__ import annotations

import asyncio
import random

from torturing.client import Door, Person, request
from torturing.journal import Attempt, Journal, Post

MAX_UNDER_WAY = 1_500
"""Messages not acknowledged yet. Past it nothing new is written: the outage lasts, and the backlog with it."""

LATE_REPEATS = 200


class Posters:
    def __init__(
        self, journal: Journal, doors: list[Door], people: list[Person], rooms: list[int], rate: float, seed: int
    ) -> None:
        self._journal = journal
        self._doors = doors
        self._people = people
        self._rooms = rooms
        self._rate = rate
        self._random = random.Random(f"posters {seed}")
        self._under_way: set[asyncio.Task[None]] = set()
        self._hurry = False

    async def run(self) -> None:
        """Writes until cancelled. The first room is the busiest, the last the quietest."""
        weights = [1 / (place + 1) for place in range(len(self._rooms))]
        while True:
            await asyncio.sleep(self._random.expovariate(self._rate))
            if len(self._under_way) < MAX_UNDER_WAY:
                (room,) = self._random.choices(self._rooms, weights)
                person = self._random.choice(self._people)
                client_id = f"c{len(self._journal.posts)}-{self._random.getrandbits(32):x}"
                post = Post(room, person.id, client_id, f"{client_id} {'x' * self._random.choice([5, 200, 1_900])}")
                self._journal.posts.append(post)
                task = asyncio.create_task(self._insist(post, person))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)

    async def finish(self, seconds: float) -> int:
        """Nobody waits long any more. Returns how many messages are still not acknowledged when time is up."""
        self._hurry = True
        await self._repeat_late()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=seconds)
        left = list(self._under_way)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        return sum(post.acknowledged is None for post in self._journal.posts)

    async def _repeat_late(self) -> None:
        """Some who had their answer long ago ask again: Redis has forgotten them, the archive never does."""
        answered = [post for post in self._journal.posts if post.acknowledged is not None]
        by_id = {person.id: person for person in self._people}
        for post in self._random.sample(answered, min(LATE_REPEATS, len(answered))):
            await self._attempt(post, by_id[post.user], self._random.choice(self._doors))

    async def _insist(self, post: Post, person: Person) -> None:
        while post.acknowledged is None:
            if self._random.random() < 0.05:  # on both at the same moment
                await asyncio.gather(*(self._attempt(post, person, door) for door in self._doors))
            else:
                await self._attempt(post, person, self._random.choice(self._doors))
            if post.acknowledged is None:
                await self._pause(self._random.choice([0.05, 0.2, 0.2, 1.0, 1.0, 3.0, 12.0]))
        while self._random.random() < 0.07:
            await self._pause(self._random.choice([0.0, 0.5, 3.0, 30.0]))
            await self._attempt(post, person, self._random.choice(self._doors))

    async def _attempt(self, post: Post, person: Person, door: Door) -> None:
        attempt = Attempt(self._journal.now(), door.name)
        post.attempts.append(attempt)
        # Some hang up at once: the server works on for nobody.
        seconds = self._random.choice([0.005, 0.02, 0.1]) if self._random.random() < 0.04 else 25.0
        try:
            answer = await request(
                door.port,
                "POST",
                "/messages",
                headers=person.headers,
                body={"room_id": post.room, "content": post.content, "client_id": post.client_id},
                seconds=seconds,
            )
            attempt.status = answer.status
            if answer.status in {200, 201}:
                message = answer.json()["message"]
                attempt.id = answer.json()["id"]
                if (message["id"], message["client_id"], message["content"], message["user_id"]) != (
                    attempt.id,
                    post.client_id,
                    post.content,
                    post.user,
                ):
                    self._journal.odd(f"POST {post.client_id} answered with another message: {message}")
            elif not door.may_answer(answer.status):
                self._journal.odd(f"POST {post.client_id} via {door.name}: {answer.status} {answer.body[:200]!r}")
        except (OSError, EOFError, TimeoutError) as error:
            attempt.why = type(error).__name__
        attempt.until = self._journal.now()

    async def _pause(self, seconds: float) -> None:
        """Up to so long; a moment only, once everybody hurries."""
        deadline = self._journal.now() + seconds * self._random.random()
        while self._journal.now() < deadline:
            if self._hurry:
                await asyncio.sleep(0.3)
                return
            await asyncio.sleep(0.1)
