"""What one reader got, against what it was owed: complete, once, in order, each link of `prev` sound."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from torturing.archived import Entry
from torturing.journal import Post
from torturing.reader import Reader, place

Name = tuple[int, str]
Finding = tuple[str, str, Name | None]
"""The rule that was broken, how, and the message that it is about."""


def judge_record(reader: Reader, events: Sequence[Entry], posts: Mapping[Name, Post]) -> Iterator[Finding]:
    assert reader.start is not None
    ids: dict[Name, set[str]] = defaultdict(set)
    for seen in reader.seen:
        ids[seen.name].add(seen.id)
        if seen.name not in posts:
            yield "stream", f"got {seen.id}, which nobody wrote", None
    for name, post in posts.items():
        first = post.acknowledged
        if first is None:
            continue
        if place(first.id) > reader.start and first.id not in ids[name]:
            yield "delivered", f"misses {first.id}, has {sorted(ids[name])}", name
        later = sorted(id for id in ids[name] if place(id) > place(first.id))
        if first.id in ids[name] and later:
            yield "once", f"got {first.id} (acknowledged at {first.until}), then again {later}", name
    yield from _judge_links(reader, events)


def _judge_links(reader: Reader, events: Sequence[Entry]) -> Iterator[Finding]:
    """`prev` of what came is what came before it; else one of the two was void, or was lost before it counted."""
    kept = {entry.id for entry in events if entry.kind != "void"}
    known = {entry.id for entry in events}
    for seen in reader.seen:
        if not seen.streamed or seen.prev == seen.after or seen.after in {"", "0", "0-0"}:
            continue
        if place(seen.prev) > place(seen.after) and seen.prev in kept:
            yield "prev", f"got {seen.id} ({seen.how}) after {seen.after}, past {seen.prev}", seen.name
        elif seen.prev not in known and seen.id in kept:
            yield "prev", f"got {seen.id} ({seen.how}), whose prev {seen.prev} is nowhere", seen.name
        elif place(seen.prev) < place(seen.after) and seen.after in kept and seen.id in kept:
            yield "prev", f"got {seen.id} ({seen.how}) after {seen.after}, which it denies: {seen.prev}", seen.name
