"""Looks, when all is quiet, whether what was promised was kept: acknowledged once, shown, delivered, in order."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from functools import partial

from common.event_ids import place
from common.usage import Usage
from common.waiting import until
from torture.judging.archived import Archived, read_archive
from torture.judging.fresh import read_afresh
from torture.judging.record import judge_record, judge_state
from torture.judging.recovery import Recoveries
from torture.judging.whole_room import WholeRoom
from torture.people.journal import Journal, Post, Wish
from torture.people.reader import Reader
from torture.people.texts import Name
from torture.people.track import Track
from torture.world.servers import ChatProcess
from torture.world.world import World

QUIET_SECONDS = 30.0
"""How long a chat that serves nobody may take to let go of what it held."""

SILENT_SECONDS = 75.0
"""How long nobody may be answered. No fault outlasts 30 s; two that overlap, and what it takes to come back, add up."""

MORE_MEGABYTES = 60.0
"""What a chat may keep that serves nobody any more: caches of rooms and sessions, and what Python does not give back to
the system."""

MORE_FILES = 45
"""What else: connections in the pools to MongoDB (20 to a member that was written to) and Redis (8)."""

PENDING_SECONDS = 10.0
"""How long what a dead process left may wait to be archived, when all is quiet."""


@dataclass(frozen=True)
class Violation:
    """`post`: whose history tells more, if it is about one."""

    rule: str
    text: str
    post: Post | None = None
    reader: Reader | None = None
    track: Track | None = None


class Judge:
    """`usage`: what each chat held before anybody came."""

    def __init__(self, world: World, journal: Journal, readers: list[Reader], usage: dict[str, Usage]) -> None:
        self._world = world
        self._journal = journal
        self._readers = readers
        self._posts: dict[int, dict[Name, Post]] = defaultdict(dict)
        for post in journal.posts:
            self._posts[post.room][post.name] = post
        self._wishes: dict[int, list[Wish]] = defaultdict(list)
        for wish in journal.wishes:
            self._wishes[wish.post.room].append(wish)
        self._pending = 0
        self.usage = {name: [start] for name, start in usage.items()}
        self.archived: dict[int, Archived] = {}
        self.compared = 0
        """Messages of readers whose state was compared with the log's."""
        self.lost_changes = 0
        """Those that stand otherwise with a reader, since a change was told that Redis lost before it counted."""
        self.quotes = 0
        self.warnings: list[str] = []
        self.violations: list[Violation] = []

    async def judge(self) -> None:
        # Fresh readers first: whoever passes a hole in the archive closes it.
        texts = self._journal.texts
        all_ways = await asyncio.gather(*(read_afresh(self._world, room, texts) for room in self._world.rooms))
        self.archived = await asyncio.to_thread(read_archive, self._world, texts)
        for text in self._journal.oddities:
            self._say("answers", text)
        self._judge_answers()
        self._judge_silence()
        for room, ways in zip(self._world.rooms, all_ways, strict=True):
            whole = WholeRoom(self._posts[room], self._wishes[room], self.archived[room], ways)
            self.quotes += whole.quotes_of_deleted()
            for rule, text, post in whole.judge():
                self._say(rule, f"room {room}: {text}", post)
        for reader in self._readers:
            self._judge_reader(reader)
        if not await until(self.nothing_is_pending, PENDING_SECONDS):
            self._say("pending", f"Redis still has {self._pending} events marked as not archived")

    async def judge_usage(self) -> None:
        """After everybody has gone."""
        for chat in self._world.chats:
            start = self.usage[chat.name][0]
            back = await until(partial(_is_back, chat, start), QUIET_SECONDS)
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
        owed = {
            room: {first.id for post in self._posts[room].values() if (first := post.acknowledged)}
            for room in self._world.rooms
        }
        for track in (track for reader in self._readers for track in reader.tracks.values()):
            missing = owed[track.room].difference(seen.id for seen in track.seen)
            count += sum(track.start is None or place(id) > track.start for id in missing)
            count += track.owed is not None
        return count

    async def nothing_is_pending(self) -> bool:
        async with self._world.redis.master.client() as client:
            keys = [key async for key in client.scan_iter(match="{chat*}:pending")]
            self._pending = sum([await client.zcard(key) for key in keys])
        return self._pending == 0

    def _say(
        self, rule: str, text: str, post: Post | None = None, reader: Reader | None = None, track: Track | None = None
    ) -> None:
        self.violations.append(Violation(rule, text, post, reader, track))

    def _judge_answers(self) -> None:
        for post in self._journal.posts:
            if len(post.ids) > 1:
                self._say("one id", f"{post.client_id} was answered with {sorted(post.ids)}", post)
            if post.acknowledged is None and not post.refused:
                self._say("liveness", f"{post.client_id} was never acknowledged, in quiet times neither", post)
        for wish in self._journal.wishes:
            if wish.acknowledged is None and not wish.came_too_late:
                self._say("liveness", f"{wish} was never acknowledged, in quiet times neither", wish.post)

    def _judge_silence(self) -> None:
        seconds, since = self._journal.longest_silence()
        if seconds > SILENT_SECONDS:
            self._say("silence", f"from {since:.0f} s on nothing was acknowledged for {seconds:.0f} s")

    def _judge_reader(self, reader: Reader) -> None:
        for complaint in reader.complaints:
            self._say("stream", complaint, reader=reader)
        for track in reader.tracks.values():
            self._judge_track(reader, track)

    def _judge_track(self, reader: Reader, track: Track) -> None:
        for complaint in track.complaints:
            self._say("stream", f"{reader}: {complaint}", reader=reader, track=track)
        if track.start is None:
            self._say("liveness", f"{reader} never got a first byte of room {track.room}", reader=reader)
            return
        posts, events = self._posts[track.room], self.archived[track.room].events
        for rule, text, name in (*judge_record(track, events, posts), *judge_state(track, events)):
            if rule:
                post = posts.get(name) if name else None
                self._say(rule, f"{reader} {text}, in room {track.room}", post, reader, track)
            else:
                self.lost_changes += 1
        self.compared += len(track.fold.messages)
        # A reset is always allowed to the server; but one at an archived message that is near was not needed.
        known = {entry.id for entry in events if entry.kind != "void"}
        for reset in track.resets:
            if reset.asked in known:
                text = f"{reader}: reset at {reset.asked}, which is archived ({reset.how})"
                self.warnings.append(f"{reset.at:.3f} {text}")


def _is_back(chat: ChatProcess, start: Usage) -> bool:
    """Whether it holds about what it began with."""
    return (
        (now := chat.usage()) is not None
        and now.megabytes <= start.megabytes + MORE_MEGABYTES
        and now.files <= start.files + MORE_FILES
    )
