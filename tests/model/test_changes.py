"""Changes: how a message stands is what its log says, however often that is told."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from chatserver.live import sse
from chatserver.live.ring import Ring
from chatserver.model.changes import Edited, Reacted, about, draft_deleted, draft_edited, draft_reaction
from chatserver.model.cursor import Cursor
from chatserver.model.event_kinds import apply_changes, without_text
from chatserver.model.events import Body, Draft, Event, Message, Quote, Reaction, draft_message

ROOM, ADA, GRACE, LIN = 42, 7, 8, 9
NAMES = {ADA: "ada", GRACE: "grace", LIN: "lin"}
ID = Cursor(10, 0)


def placed(draft: Draft, ms: int) -> Event:
    return Event(ROOM, Cursor(ms, 0), Cursor(ms - 1, 0), draft.kind, draft.user_id, draft.client_id, draft.payload)


def written(ms: int = 10, content: str = "hello", **more: Any) -> Event:
    return placed(draft_message(Body(ROOM, ADA, "ada", content, "2026-11-24T09:41:00.000Z", f"c-{ms}", **more)), ms)


def edited(ms: int, content: str, html: str | None = None, to: str = str(ID)) -> Event:
    return placed(draft_edited(Edited(ROOM, to, ADA, content, f"at {ms}", html, (GRACE,) if html else ())), ms)


def deleted(ms: int, message: Message | None = None) -> Event:
    return placed(draft_deleted(message or written().message()), ms)


def reacted(ms: int, emoji: str, user_id: int, *, on: bool = True) -> Event:
    return placed(draft_reaction(Reacted(ROOM, str(ID), emoji, user_id, NAMES[user_id], on)), ms)


kinds = st.one_of(
    st.tuples(st.just("edited"), st.text(min_size=1, max_size=5), st.one_of(st.none(), st.just("<p>x</p>"))),
    st.tuples(st.just("reaction"), st.sampled_from("👍🎉😀"), st.sampled_from([ADA, GRACE, LIN]), st.booleans()),
    st.tuples(st.just("reaction"), st.sampled_from("👍🎉😀"), st.sampled_from([ADA, GRACE, LIN]), st.booleans()),
    st.tuples(st.just("deleted")),
)


def made(specs: list[tuple[Any, ...]]) -> list[Event]:
    """The changes, one behind the other."""
    events = []
    for ms, (kind, *rest) in enumerate(specs, start=11):
        if kind == "edited":
            events.append(edited(ms, *rest))
        elif kind == "reaction":
            events.append(reacted(ms, rest[0], rest[1], on=rest[2]))
        else:
            events.append(deleted(ms))
    return events


def as_sets(message: Message) -> Any:
    """The message, less the order of its reactions."""
    return msgspec.structs.replace(message, reactions=()), {
        each.emoji: frozenset(each.user_ids) for each in message.reactions
    }


@given(st.lists(kinds, max_size=12), st.integers(0, 12), st.integers(0, 12))
def test_what_is_folded_in_twice_is_in_there_once(specs: list[tuple[Any, ...]], start: int, end: int) -> None:
    changes = made(specs)
    stands = apply_changes(written().message(), changes)
    assert as_sets(apply_changes(stands, changes[start:])) == as_sets(stands)
    assert apply_changes(apply_changes(written().message(), changes[:end]), changes[end:]) == stands, (
        "in parts or at once"
    )
    known: set[Any] = {(each.emoji, user) for each in stands.reactions for user in each.user_ids}
    assert len(known) == sum(len(each.user_ids) for each in stands.reactions)
    assert all(each.user_ids for each in stands.reactions)


@given(st.lists(kinds, max_size=8), st.lists(kinds, max_size=8))
def test_what_is_deleted_stays_deleted(before: list[tuple[Any, ...]], after: list[tuple[Any, ...]]) -> None:
    stands = apply_changes(written().message(), made([*before, ("deleted",), *after]))
    assert json.loads(msgspec.json.encode(stands)) == {
        "id": "10-0", "prev": "9-0", "room_id": ROOM, "user_id": ADA, "user_name": "ada", "content": "",
        "created_at": "2026-11-24T09:41:00.000Z", "client_id": "c-10", "deleted": True,
    }  # fmt: skip


@given(st.lists(kinds, max_size=8))
def test_the_log_says_the_same_when_the_text_is_taken_out(specs: list[tuple[Any, ...]]) -> None:
    events = [written(), *made([*specs, ("deleted",)])]
    blank = [without_text(event) if event.kind in {"message", "edited"} else event for event in events]
    assert apply_changes(blank[0].message(), blank[1:]) == apply_changes(events[0].message(), events[1:])


def test_an_edit_says_all_that_the_text_is_now() -> None:
    message = apply_changes(written(html="<p>old</p>", mentions=(LIN,)).message(), [edited(11, "new")])
    assert (message.content, message.html, message.mentions, message.edited_at) == ("new", None, (), "at 11")
    message = apply_changes(message, [edited(12, "newer", "<b>newer</b>")])
    assert (message.content, message.html, message.mentions) == ("newer", "<b>newer</b>", (GRACE,))


def test_reactions_stand_in_the_order_in_which_they_came() -> None:
    given = [reacted(11, "🎉", GRACE), reacted(12, "👍", ADA), reacted(13, "🎉", ADA)]
    assert apply_changes(written().message(), given).reactions == (Reaction("🎉", (GRACE, ADA)), Reaction("👍", (ADA,)))
    taken = [reacted(14, "🎉", GRACE, on=False), reacted(15, "🎉", ADA, on=False), reacted(16, "🎉", LIN)]
    assert apply_changes(written().message(), given + taken).reactions == (
        Reaction("👍", (ADA,)),
        Reaction("🎉", (LIN,)),
    )


def test_a_change_says_what_it_is_about() -> None:
    assert [about(each) for each in (edited(11, "x"), deleted(12), reacted(13, "👍", ADA))] == [ID] * 3


def test_client_ids_of_changes_are_none_that_a_client_may_use() -> None:
    assert deleted(12).client_id == "deleted:10-0"


# Frames


def test_a_change_is_an_event_with_a_name_and_an_id() -> None:
    assert (
        sse.frame(reacted(13, "👍", GRACE))
        == (
            'id: 13-0\nevent: reaction\ndata: {"id":"13-0","prev":"12-0","room_id":42,"message_id":"10-0",'
            '"emoji":"👍","user_id":8,"user_name":"grace","on":true}\n\n'
        ).encode()
    )
    assert sse.frame(edited(11, "a\nb", "<p>a</p>")) == (
        b'id: 11-0\nevent: edited\ndata: {"id":"11-0","prev":"10-0","room_id":42,"message_id":"10-0","user_id":7,'
        b'"content":"a\\nb","edited_at":"at 11","html":"<p>a</p>","mentions":[8]}\n\n'
    )
    assert sse.frame(deleted(12)) == (
        b'id: 12-0\nevent: deleted\ndata: {"id":"12-0","prev":"11-0","room_id":42,"message_id":"10-0","user_id":7,'
        b'"client_id":"c-10"}\n\n'
    )


def test_only_the_frames_of_that_message_lose_their_text() -> None:
    quoting = written(14, '"id":"10-0" "message_id":"10-0"', reply_to=Quote("10-0", "ada", "hello"))
    other = edited(15, "about another", to="9-0")
    for event in (written(9), quoting, other, reacted(13, "👍", ADA), deleted(12)):
        assert sse.without_text(sse.frame(event), ID) == sse.frame(event)
    for event in (written(html="<p>hello</p>", mentions=(8,), reply_to=Quote("9-0", "ada", "x")), edited(11, "x", "<p>x</p>")):  # fmt: skip
        assert sse.without_text(sse.frame(event), ID) == sse.frame(without_text(event)) != sse.frame(event)


def test_a_ring_tells_no_text_of_what_was_deleted() -> None:
    events = [written(10, "secret"), edited(11, "secret too"), reacted(12, "👍", ADA), written(13), deleted(14)]
    ring = Ring(Cursor(9, 0))
    ring.push(events[:4])
    assert b"secret" in ring.between(ring.start, ring.tip, chunked=False).data
    end = Cursor(13, 0)
    assert b"secret" in ring.between(ring.start, end, chunked=False).data
    ring.push(events[4:])
    blank = [without_text(event) for event in events[:2]] + events[2:]
    assert ring.between(ring.start, ring.tip, chunked=False).data == b"".join(map(sse.frame, blank))
    assert b"secret" not in ring.between(ring.start, end, chunked=False).data


def test_a_ring_tells_no_text_of_an_edit_that_a_deletion_overtook_unless_that_was_lost() -> None:
    ring = Ring(Cursor(9, 0))
    ring.push([written(10), deleted(11), edited(12, "secret")])
    assert b"secret" not in ring.between(ring.start, ring.tip, chunked=False).data
    ring.forget(Cursor(12, 0))
    ring.push([edited(13, "not deleted, it turned out")])
    assert b"it turned out" in ring.between(ring.start, ring.tip, chunked=False).data
