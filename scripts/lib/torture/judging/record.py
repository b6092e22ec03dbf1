"""What one reader got of a room, against what it was owed: complete, once, in order, each link of `prev` sound."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from common.event_ids import place
from torture.judging.archived import Entry
from torture.people.fold import Fold, differences
from torture.people.journal import Post
from torture.people.said import Change
from torture.people.texts import Name
from torture.people.track import Track

Finding = tuple[str, str, Name | None]
"""The rule that was broken, how, and the message that it is about."""


def judge_record(track: Track, events: Sequence[Entry], posts: Mapping[Name, Post]) -> Iterator[Finding]:
    assert track.start is not None
    ids: dict[Name, set[str]] = defaultdict(set)
    for seen in track.seen:
        if seen.name is not None:
            ids[seen.name].add(seen.id)
            if seen.name not in posts:
                yield "stream", f"got {seen.id}, which nobody wrote", None
    for name, post in posts.items():
        first = post.acknowledged
        if first is None:
            continue
        if place(first.id) > track.start and first.id not in ids[name]:
            yield "delivered", f"misses {first.id}, has {sorted(ids[name])}", name
        later = sorted(id for id in ids[name] if place(id) > place(first.id))
        if first.id in ids[name] and later:
            yield "once", f"got {first.id} (acknowledged at {first.until}), then again {later}", name
    yield from _judge_links(track, events)
    yield from _judge_changes(track, events)


def _judge_links(track: Track, events: Sequence[Entry]) -> Iterator[Finding]:
    """`prev` of what came is what came before it; else one of the two was void, or was lost before it counted."""
    kept = {entry.id for entry in events if entry.kind != "void"}
    known = {entry.id for entry in events}
    for seen in track.seen:
        if not seen.streamed or seen.prev == seen.after or seen.after in {"", "0", "0-0"}:
            continue
        if place(seen.prev) > place(seen.after) and seen.prev in kept:
            yield "prev", f"got {seen.id} ({seen.how}) after {seen.after}, past {seen.prev}", seen.name
        elif seen.prev not in known and seen.id in kept:
            yield "prev", f"got {seen.id} ({seen.how}), whose prev {seen.prev} is nowhere", seen.name
        elif place(seen.prev) < place(seen.after) and seen.after in kept and seen.id in kept:
            yield "prev", f"got {seen.id} ({seen.how}) after {seen.after}, which it denies: {seen.prev}", seen.name


def _judge_changes(track: Track, events: Sequence[Entry]) -> Iterator[Finding]:
    """Every change came, unless it lies in what a reset passed over; then pages had to show it."""
    names = {entry.id: entry.name for entry in events if entry.kind == "message"}
    streamed = {seen.id for seen in track.seen if seen.streamed}
    passed = [(place(reset.asked), place(reset.given)) for reset in track.resets]
    for entry in events:
        id = place(entry.id)
        if (
            isinstance(entry.said, Change)
            and entry.id not in streamed
            and track.streamed_from < id <= place(track.cursor)
            and not any(asked < id <= given for asked, given in passed)
        ):
            yield "delivered", f"misses the {entry.kind} {entry.id}", names.get(entry.said.message)


def judge_state(track: Track, events: Sequence[Entry]) -> Iterator[Finding]:
    """How the room stands by what was received, against how it stands by the log.

    What readers were told before it counted, and that was lost since, is not held against the chat; the finding's rule
    is "" then.
    """
    # A void may stand at the very id under which a lost entry was told.
    expected, kept = Fold(), {entry.id for entry in events if entry.kind != "void"}
    for entry in events:
        if entry.said is not None and place(entry.id) <= place(track.cursor):
            expected.take(entry.said)
    names = {id: message.name for id, message in (track.fold.messages | expected.messages).items()}
    lost = {seen.said.message for seen in track.seen if isinstance(seen.said, Change) and seen.id not in kept}
    for id, text in differences(track.fold.messages, expected.messages, track.fold.since):
        told = [seen.id for seen in track.seen if isinstance(seen.said, Change) and seen.said.message == id]
        text = f"has it otherwise than the log: {text}; was told {told[-8:]}"
        yield "" if id in lost else "state", text, names[id]
