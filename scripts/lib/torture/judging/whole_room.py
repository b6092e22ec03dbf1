"""A room in the end, against all that was asked of it: acknowledged once, shown, the same from wherever it is seen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from torture.judging.archived import Archived, judge_chain
from torture.judging.fresh import STREAMED, Way
from torture.judging.kept import judge_changes
from torture.people.fold import Fold, differences
from torture.people.journal import Post, Wish
from torture.people.texts import Name

Finding = tuple[str, str, Post | None]
"""The rule that was broken, how, and the message that it is about."""


class WholeRoom:
    """`ways`: what somebody sees who comes only now."""

    def __init__(self, posts: Mapping[Name, Post], wishes: Sequence[Wish], archived: Archived, ways: Mapping[str, Way]):
        self._posts = posts
        self._wishes = wishes
        self._archived = archived
        self._ways = ways
        self._by_id = {first.id: post for post in posts.values() if (first := post.acknowledged) is not None}

    def judge(self) -> Iterator[Finding]:
        yield from self._judge_archive()
        yield from self._judge_refused()
        for text, id in judge_chain(self._archived.events):
            yield "chain", text, self._by_id.get(id)
        for rule, text, wish in judge_changes(self._wishes, self._archived.events):
            yield rule, text, wish.post if wish else None
        yield from self._judge_ways()
        yield from self._judge_states()
        yield from self._judge_texts()

    def quotes_of_deleted(self) -> int:
        """How many texts are still quoted in replies, as they were when that was written, though they were deleted."""
        quoted = self._archived.quotes.union(*(way.quotes for way in self._ways.values()))
        return len(quoted & self._deleted_texts().keys())

    def _judge_archive(self) -> Iterator[Finding]:
        ids: dict[Name, list[str]] = defaultdict(list)
        for entry in self._archived.events:
            if entry.kind == "message":
                ids[entry.name].append(entry.id)
        shown: dict[Name, list[str]] = defaultdict(list)
        for id, message in self._archived.shown.items():
            shown[message.name].append(id)
        for name in ids.keys() | shown.keys():
            if name not in self._posts:
                yield "archived once", f"{name} is archived as {ids[name]}, and nobody wrote it", None
        for name, post in self._posts.items():
            first = post.acknowledged
            if first and ids[name] != [first.id]:
                yield "archived once", f"acknowledged as {first.id}, archived as {ids[name]}", post
            if first and shown[name] != [first.id]:
                yield "shown once", f"acknowledged as {first.id}, in `messages` as {shown[name]}", post
            if not first and (len(ids[name]) > 1 or ids[name] != shown[name]):
                yield "archived once", f"not acknowledged, {ids[name]} / {shown[name]}", post

    def _judge_refused(self) -> Iterator[Finding]:
        """To repeat a post is the way to know what became of it: so it is not refused once it is there."""
        there = {entry.name for entry in self._archived.events if entry.kind == "message"}
        for post in self._posts.values():
            if post.refused and post.name in there:
                yield "refused", f"{post.client_id} was refused for what it replies to, and is there", post

    def _judge_ways(self) -> Iterator[Finding]:
        """A fresh load is what everyone's state must be equal to in the end (I7)."""
        archived = [(entry.id, entry.name) for entry in self._archived.events if entry.kind == "message"]
        for way, seen in self._ways.items():
            expected = archived if way == "history" else archived[-STREAMED:]
            if seen.found != expected:
                missing, extra = sorted(set(expected) - set(seen.found)), sorted(set(seen.found) - set(expected))
                text = f"{way}: misses {missing[:5]}, has {extra[:5]} beyond `events`; {len(seen.found)} in all"
                yield "fresh load", text, None

    def _judge_states(self) -> Iterator[Finding]:
        fold = Fold()
        for entry in self._archived.events:
            if entry.said is not None:
                fold.take(entry.said)
        for id, text in differences(self._archived.shown, fold.messages):
            yield "projection", f"`messages`: {text}", self._by_id.get(id)
        for way, seen in self._ways.items():
            for id, text in differences(seen.fold.messages, fold.messages, seen.since):
                yield "page" if way == "history" else "replay", text, self._by_id.get(id)

    def _judge_texts(self) -> Iterator[Finding]:
        """What was deleted can't be read anywhere any more."""
        deleted = self._deleted_texts()
        sources = {"the archive": self._archived.words, **{way: seen.words for way, seen in self._ways.items()}}
        for source, words in sources.items():
            for word in words.keys() & deleted.keys():
                text = f"{source}: the text {word} of {deleted[word].client_id} survived its deletion in {words[word]}"
                yield "deleted text", text, deleted[word]

    def _deleted_texts(self) -> dict[str, Post]:
        """All that was ever said in messages of which the deletion was acknowledged."""
        gone = {id(wish.post) for wish in self._wishes if wish.kind == "deleted" and wish.acknowledged is not None}
        texts = {wish.text: wish.post for wish in self._wishes if wish.text and id(wish.post) in gone}
        return texts | {post.text: post for post in self._posts.values() if id(post) in gone}
