"""Looks, when all is quiet, whether what was promised was kept: acknowledged once, shown, delivered, in order."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass

from torturing.archived import Entry, judge_chain, read_archive
from torturing.fresh import STREAMED, read_afresh
from torturing.journal import Journal, Post
from torturing.reader import Reader, place
from torturing.record import judge_record
from torturing.recovery import Recoveries
from torturing.usage import Usage
from torturing.waiting import until
from torturing.world import World

Name = tuple[int, str]

QUIET_SECONDS = 30.0
"""How long a chat that serves nobody may take to let go of what it held."""

SILENT_SECONDS = 75.0
"""How long nobody may be answered. No fault outlasts 30 s; two that overlap, and what it takes to come back, add up."""

PENDING_SECONDS = 10.0
"""How long what a dead process left may wait to be archived, when all is quiet."""


@dataclass(frozen=True)
class Violation:
    """`post`: whose history tells more, if it is about one."""

    rule: str
    text: str
    post: Post | None = None
    reader: Reader | None = None


class Judge:
    """`usage`: what each chat held before anybody came."""

    def __init__(self, world: World, journal: Journal, readers: list[Reader], usage: dict[str, Usage]) -> None:
        self._world = world
        self._journal = journal
        self._readers = readers
        self._posts: dict[int, dict[Name, Post]] = defaultdict(dict)
        for post in journal.posts:
            self._posts[post.room][post.name] = post
        self._pending = 0
        self.usage = {name: [start] for name, start in usage.items()}
        self.events: dict[int, list[Entry]] = {}
        self.shown: dict[int, dict[str, Name]] = {}
        self.warnings: list[str] = []
        self.violations: list[Violation] = []

    async def judge(self) -> None:
        # Fresh readers first: whoever passes a hole in the archive closes it.
        ways = await asyncio.gather(*(read_afresh(self._world, room) for room in self._world.rooms))
        fresh = dict(zip(self._world.rooms, ways, strict=True))
        self.events, self.shown = await asyncio.to_thread(read_archive, self._world)
        for text in self._journal.oddities:
            self._say("answers", text)
        self._judge_answers()
        self._judge_silence()
        for room in self._world.rooms:
            self._judge_archive(room)
            self._judge_chain(room)
            self._judge_fresh(room, fresh[room])
        for reader in self._readers:
            self._judge_reader(reader)
        if not await until(self._nothing_is_pending, PENDING_SECONDS):
            self._say("pending", f"Redis still has {self._pending} events marked as not archived")

    async def judge_usage(self) -> None:
        """After everybody has gone."""
        for chat in self._world.chats:
            start = self.usage[chat.name][0]
            back = await until(lambda start=start, chat=chat: _is_back(chat.usage(), start), QUIET_SECONDS)  # type: ignore[misc]
            if (now := chat.usage()) is not None:
                self.usage[chat.name].append(now)
            if not back:
                self._say("usage", f"chat {chat.name} began with {start} and holds {now} when everybody has gone")

    def judge_recoveries(self, recoveries: Recoveries) -> None:
        for fault in self._journal.faults:
            if recoveries.of(fault) is None:
                self._say("liveness", f"{fault.kind}, {fault.what}, mended at {fault.until}, was never got over")

    def missing(self) -> int:
        """How many messages readers still wait for."""
        count = 0
        for reader in self._readers:
            ids = {seen.id for seen in reader.seen}
            owed = {first.id for post in self._posts[reader.room].values() if (first := post.acknowledged)}
            count += sum(reader.start is None or place(id) > reader.start for id in owed - ids)
        return count

    async def _nothing_is_pending(self) -> bool:
        async with self._world.redis.master.client() as client:
            keys = [key async for key in client.scan_iter(match="{chat*}:pending")]
            self._pending = sum([await client.zcard(key) for key in keys])
        return self._pending == 0

    def _say(self, rule: str, text: str, post: Post | None = None, reader: Reader | None = None) -> None:
        self.violations.append(Violation(rule, text, post, reader))

    def _judge_answers(self) -> None:
        for post in self._journal.posts:
            if len(post.ids) > 1:
                self._say("one id", f"{post.client_id} was answered with {sorted(post.ids)}", post)
            if post.acknowledged is None:
                self._say("liveness", f"{post.client_id} was never acknowledged, in quiet times neither", post)

    def _judge_silence(self) -> None:
        seconds, since = self._journal.longest_silence()
        if seconds > SILENT_SECONDS:
            self._say("silence", f"from {since:.0f} s on nothing was acknowledged for {seconds:.0f} s")

    def _judge_archive(self, room: int) -> None:
        ids: dict[Name, list[str]] = defaultdict(list)
        for entry in self.events[room]:
            if entry.kind == "message":
                ids[entry.name].append(entry.id)
        shown: dict[Name, list[str]] = defaultdict(list)
        for id, name in self.shown[room].items():
            shown[name].append(id)
        for name in ids.keys() | shown.keys():
            if name not in self._posts[room]:
                self._say("archived once", f"room {room}: {name} is archived as {ids[name]}, and nobody wrote it")
        for name, post in self._posts[room].items():
            first = post.acknowledged
            if first and ids[name] != [first.id]:
                self._say("archived once", f"acknowledged as {first.id}, archived as {ids[name]}", post)
            if first and shown[name] != [first.id]:
                self._say("shown once", f"acknowledged as {first.id}, in `messages` as {shown[name]}", post)
            if not first and (len(ids[name]) > 1 or ids[name] != shown[name]):
                self._say("archived once", f"not acknowledged, {ids[name]} / {shown[name]}", post)

    def _judge_chain(self, room: int) -> None:
        posts = {post.acknowledged.id: post for post in self._posts[room].values() if post.acknowledged}
        for text, id in judge_chain(self.events[room]):
            self._say("chain", f"room {room}: {text}", posts.get(id))

    def _judge_fresh(self, room: int, fresh: dict[str, list[tuple[str, Name]]]) -> None:
        """A fresh load is what everyone's state must be equal to in the end (I7)."""
        archived = [(entry.id, entry.name) for entry in self.events[room] if entry.kind == "message"]
        for way, found in fresh.items():
            expected = archived if way == "history" else archived[-STREAMED:]
            if found != expected:
                missing, extra = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
                text = f"room {room}, {way}: misses {missing[:5]}, has {extra[:5]} beyond `events`; {len(found)} in all"
                self._say("fresh load", text)

    def _judge_reader(self, reader: Reader) -> None:
        for complaint in reader.complaints:
            self._say("stream", complaint, reader=reader)
        if reader.start is None:
            self._say("liveness", f"reader {reader.number} never got a first byte", reader=reader)
            return
        posts = self._posts[reader.room]
        for rule, text, name in judge_record(reader, self.events[reader.room], posts):
            self._say(rule, f"reader {reader.number} {text}", posts.get(name) if name else None, reader)
        # A reset is always allowed to the server; but one at an archived message that is near was not needed.
        known = {entry.id for entry in self.events[reader.room] if entry.kind != "void"}
        for reset in reader.resets:
            if reset.asked in known:
                text = f"reader {reader.number}: reset at {reset.asked}, which is archived ({reset.how})"
                self.warnings.append(f"{reset.at:.3f} {text}")


def _is_back(now: Usage | None, start: Usage) -> bool:
    return now is not None and now.is_back_to(start)
