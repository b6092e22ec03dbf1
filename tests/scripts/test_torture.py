"""The judge of scripts/torture: what is broken is found, and what is allowed is let pass."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from common.http_client import Block, Person
from torture.faults.dice import Dice
from torture.faults.plan import KINDS, Plan, possible
from torture.judging.archived import Archived, Entry, judge_chain
from torture.judging.fresh import Way
from torture.judging.record import judge_record, judge_state
from torture.judging.recovery import Recoveries
from torture.judging.whole_room import WholeRoom
from torture.people.fold import Fold
from torture.people.journal import Attempt, Fault, Journal, Post, Wish
from torture.people.reader import Reader
from torture.people.said import Change, Message
from torture.people.track import Seen, Track
from torture.world.doors import Door

A = Post(1, 7, "a", "t0q", [Attempt(0.0, "chat-a", 0.5, 201, "1-0")])
B = Post(1, 7, "b", "t1q", [Attempt(1.0, "chat-b", 1.5, 201, "2-0")])
C = Post(1, 7, "c", "t2q", [Attempt(2.0, "chat-a", 2.5, 201, "4-0")])
POSTS = {post.name: post for post in (A, B, C)}


def message(id: str, post: Post) -> Message:
    return Message(id, post.user, post.client_id, post.text)


def entry(id: str, prev: str, said: Post | Change) -> Entry:
    if isinstance(said, Change):
        return Entry(id, prev, said.kind, (said.user, f"change {id}"), said)
    return Entry(id, prev, "message", said.name, message(id, said))


EVENTS = [
    entry("1-0", "0-0", A),
    entry("2-0", "1-0", B),
    Entry("3-0", "2-0", "void", (7, "")),
    entry("4-0", "3-0", C),
]


def seen(id: str, prev: str, post: Post | Change, after: str, how: str = "stream 1 via chat-a") -> Seen:
    return Seen(3.0, id, prev, message(id, post) if isinstance(post, Post) else post, how, after)


WHOLE = [seen("1-0", "0-0", A, "0"), seen("2-0", "1-0", B, "1-0"), seen("4-0", "3-0", C, "2-0")]


def findings(record: list[Seen], start: tuple[int, int] = (0, 0), events: list[Entry] = EVENTS) -> set[str]:
    track = Track(1, Journal())
    track.begin(start)
    for each in record:
        track.seen.append(each)
        track.fold.take(each.said)
        track.cursor = each.id
    found = [*judge_record(track, events, POSTS), *judge_state(track, events)]
    return {rule for rule, _, _ in found if rule}


def test_a_record_that_is_whole_is_let_pass() -> None:
    assert findings(WHOLE) == set()


def test_what_came_before_a_reader_is_not_owed_to_it() -> None:
    assert findings(WHOLE[1:], start=(1, 0)) == set()


def test_a_message_that_never_came_is_found() -> None:
    assert findings([WHOLE[0], seen("4-0", "3-0", C, "1-0")]) == {"delivered", "state"}


def test_a_message_that_came_again_later_than_where_it_stands_is_found() -> None:
    assert findings([*WHOLE, seen("5-0", "4-0", A, "4-0")]) == {"once", "state"}


def test_a_message_that_was_seen_and_lost_may_come_again() -> None:
    lost = seen("1-5", "1-0", B, "1-0")
    assert findings([WHOLE[0], lost, seen("2-0", "1-0", B, "1-5"), WHOLE[2]]) == set()


def test_a_message_that_nobody_wrote_is_found() -> None:
    stranger = Post(1, 8, "x", "t9q")
    assert "stream" in findings([*WHOLE, seen("5-0", "4-0", stranger, "4-0")])


def test_a_link_past_a_message_is_found_even_where_that_came_in_another_way() -> None:
    by_page = seen("2-0", "1-0", B, "1-0", how="page via chat-a")
    past = seen("4-0", "2-0", C, "1-0")
    assert findings([WHOLE[0], by_page, past]) == {"prev"}


def test_a_link_that_denies_what_was_there_is_found() -> None:
    assert findings([*WHOLE[:2], seen("4-0", "1-0", C, "2-0")]) == {"prev"}


def test_a_link_to_nowhere_is_found() -> None:
    assert findings([*WHOLE[:2], seen("4-0", "3-9", C, "2-0")]) == {"prev"}


# What becomes of messages: A is edited by a wish that was repeated, gets a reaction that was taken back and given
# again, and C is deleted after an edit.

SAYS = Change("edited", "1-0", 7, "t3q", "soon")
GLAD = Change("reaction", "1-0", 9, emoji="🎉", on=True)
NOT = GLAD._replace(on=False)
C_SAYS = Change("edited", "4-0", 7, "t4q", "later")
GONE = Change("deleted", "4-0", 7)


def wish(change: Change, at: float, *answers: int, post: Post = A) -> Wish:
    attempts = [Attempt(at + n, "chat-a", at + n + 0.5, status) for n, status in enumerate(answers)]
    return Wish(change.kind, post, change.user, change.text, change.emoji, change.on, attempts)


WISHES = [
    wish(SAYS, 3.0, 0, 200),
    wish(GLAD, 5.0, 204),
    wish(NOT, 6.0, 204),
    wish(GLAD, 7.0, 204),
    wish(C_SAYS, 8.0, 200, post=C),
    wish(GONE, 9.0, 503, 204, post=C),
]
C_DELETED = message("4-0", C).tombstone()


def living(*changes: Change, c: Message = C_DELETED) -> list[Entry]:
    """The room's events: the messages, and then these changes."""
    events = [*EVENTS[:3], replace(EVENTS[3], said=c)]
    for number, change in enumerate(changes, 5):
        events.append(entry(f"{number}-0", events[-1].id, change))
    return events


C_SAID = C_SAYS._replace(text="")  # its text was taken out
CHANGES = [SAYS, SAYS, GLAD, NOT, GLAD, C_SAID, GONE]
LIVING = living(*CHANGES)


def shown(events: list[Entry]) -> dict[str, Message]:
    fold = Fold()
    for each in events:
        if each.said is not None:
            fold.take(each.said)
    return fold.messages


def way(events: list[Entry], **instead: Message) -> Way:
    """A history that shows what the events say, or something instead."""
    way = Way()
    for message in sorted({**shown(events), **{each.id: each for each in instead.values()}}.values()):
        way.found.append((message.id, message.name))
        way.fold.take(message)
    return way


def room_findings(
    events: list[Entry], wishes: list[Wish] = WISHES, *, archived: Archived | None = None, history: Way | None = None
) -> set[str]:
    archived = archived or Archived(events, shown(events))
    whole = WholeRoom(POSTS, wishes, archived, {"history": history or way(events)})
    return {rule for rule, _, _ in whole.judge()}


def test_a_room_in_which_all_was_kept_is_let_pass() -> None:
    assert room_findings(LIVING) == set()


def test_a_lost_edit_is_found() -> None:
    assert room_findings(living(GLAD, NOT, GLAD, C_SAID, GONE)) == {"change kept"}


def test_an_edit_that_comes_back_over_a_later_one_is_found_where_both_were_answered() -> None:
    later = SAYS._replace(text="t5q", edited_at="later")
    others = [*WISHES[1:], wish(later, 20.0, 200)]
    answered, unsure = wish(SAYS, 3.0, 200, 200), wish(SAYS, 3.0, 0, 200)
    assert room_findings(living(SAYS, GLAD, NOT, GLAD, C_SAID, GONE, later), [answered, *others]) == set()
    came_back = living(SAYS, GLAD, NOT, GLAD, C_SAID, GONE, later, SAYS)
    assert room_findings(came_back, [answered, *others]) == {"change kept"}
    assert room_findings(came_back, [unsure, *others]) == set(), "what has no answer may come at any time"


def test_a_lost_reaction_and_one_that_was_not_taken_back_are_found() -> None:
    assert room_findings(living(SAYS, GLAD, NOT, C_SAID, GONE)) == {"change kept"}
    assert room_findings(living(SAYS, GLAD, C_SAID, GONE), [*WISHES, wish(NOT, 20.0, 204)]) == {"change kept"}


def test_what_has_no_answer_may_come_late_and_take_back_what_was_granted() -> None:
    unsure = wish(NOT, 6.5, 0, 204)
    assert room_findings(living(SAYS, GLAD, NOT, GLAD, NOT, C_SAID, GONE), [*WISHES, unsure]) == set()


def test_a_lost_deletion_is_found() -> None:
    assert room_findings(living(SAYS, GLAD, NOT, GLAD, C_SAYS, c=message("4-0", C))) == {"change kept"}


def test_a_reaction_that_is_in_the_log_more_often_than_it_was_asked_for_is_found() -> None:
    assert room_findings(living(SAYS, GLAD, NOT, GLAD, GLAD, C_SAID, GONE)) == {"change once"}


def test_what_nginx_passed_on_to_another_chat_may_be_there_twice_and_come_late() -> None:
    passed_on = wish(GLAD, 7.0, 204)
    passed_on.attempts[0].times = 2
    wishes = [WISHES[0], WISHES[1], WISHES[2], passed_on, *WISHES[4:]]
    assert room_findings(living(SAYS, GLAD, NOT, GLAD, GLAD, C_SAID, GONE), wishes) == set()
    later = wish(NOT, 20.0, 204)
    assert room_findings(living(SAYS, GLAD, NOT, GLAD, NOT, GLAD, C_SAID, GONE), [*wishes, later]) == set()


def test_a_deletion_that_is_in_the_log_twice_is_found() -> None:
    assert room_findings([*LIVING, entry("12-0", "11-0", GONE)]) == {"change once"}


def test_a_change_that_nobody_asked_for_is_found() -> None:
    assert room_findings([*LIVING, entry("12-0", "11-0", GLAD._replace(user=8))]) == {"change once"}


@pytest.mark.parametrize(
    "instead",
    [
        pytest.param(C_DELETED._replace(text="t4q", deleted=False, edited_at="later"), id="an edit after a delete"),
        pytest.param(Message("1-0", 7, "a", "t3q", "soon", reactions=(("🎉", (9, 9)),)), id="a reaction doubled"),
        pytest.param(Message("1-0", 7, "a", "t0q", reactions=(("🎉", (9,)),)), id="without the edit"),
        pytest.param(Message("1-0", 7, "a", "t3q", "soon"), id="without the reaction"),
    ],
)
def test_a_page_that_shows_otherwise_than_the_log_is_found(instead: Message) -> None:
    assert room_findings(LIVING, history=way(LIVING, instead=instead)) == {"page"}
    other = Archived(LIVING, {**shown(LIVING), instead.id: instead})
    assert room_findings(LIVING, archived=other) == {"projection"}


def test_a_text_that_survived_its_deletion_is_found_wherever_it_is() -> None:
    assert room_findings(LIVING, archived=Archived(LIVING, shown(LIVING), {"t4q": "`events` 10-0"})) == {"deleted text"}
    history = way(LIVING)
    history.words["t2q"] = "message 4-0"
    assert room_findings(LIVING, history=history) == {"deleted text"}
    history.words = {"t3q": "message 1-0"}  # is not deleted
    assert room_findings(LIVING, history=history) == set()


def test_a_reply_that_is_refused_when_it_is_there_is_found() -> None:
    POSTS[C.name].attempts.append(Attempt(30.0, "chat-a", 30.5, 422))
    try:
        assert room_findings(LIVING) == {"refused"}
    finally:
        POSTS[C.name].attempts.pop()


CHANGED = [seen(f"{n}-0", f"{n - 1}-0", change, f"{n - 1}-0") for n, change in enumerate(CHANGES, 5)]


def test_a_reader_who_got_every_change_is_let_pass_and_one_who_missed_one_is_found() -> None:
    assert findings(WHOLE + CHANGED, events=LIVING) == set()
    assert findings(WHOLE + CHANGED[1:], events=LIVING) == {"delivered"}
    assert findings([*WHOLE, *CHANGED[:-1], seen("12-0", "11-0", GLAD, "10-0")], events=LIVING) == {
        "delivered",
        "prev",
        "state",
    }


def test_changes_that_the_page_showed_from_which_a_reader_came_are_not_owed_to_it() -> None:
    track = Track(1, Journal())
    track.begin((0, 0), (11, 0))
    track.cursor, track.fold.messages = "11-0", shown(LIVING)
    track.seen = [
        seen("1-0", "0-0", A, "", "page"),
        seen("2-0", "1-0", B, "", "page"),
        seen("4-0", "3-0", C, "", "page"),
    ]
    assert [*judge_record(track, LIVING, POSTS), *judge_state(track, LIVING)] == []


def test_a_reader_for_whom_an_edit_undid_a_deletion_is_found() -> None:
    track = Track(1, Journal())
    track.begin((0, 0))
    track.cursor = "11-0"
    track.fold.messages = {**shown(LIVING), "4-0": C_DELETED._replace(text="t4q", deleted=False)}
    assert {rule for rule, _, _ in judge_state(track, LIVING)} == {"state"}


def test_what_a_reader_was_told_and_redis_lost_is_not_held_against_the_chat() -> None:
    lost = seen("11-5", "11-0", SAYS._replace(text="t9q"), "11-0")
    assert findings([*WHOLE, *CHANGED, lost], events=LIVING) == set()


def test_deleted_wins_for_ever() -> None:
    fold = Fold()
    for said in (message("4-0", C), GONE, C_SAYS, GLAD._replace(message="4-0"), message("4-0", C)):
        fold.take(said)
    assert fold.messages == {"4-0": C_DELETED}


def test_a_stream_of_many_rooms_is_followed_room_by_room_and_found_out_when_it_moves_one_back() -> None:
    journal = Journal()
    reader = Reader(1, [5, 3], Person(7, {}), journal, [Door("chat-a", 1)], 1, "now")
    words = {room: journal.texts.write(Dice(room, 1.0), (7, f"c{room}")) for room in (5, 3)}

    def block(id: str, room: int, own: str, prev: str) -> Block:
        content = journal.texts.content(words[room])
        data = {"id": own, "prev": prev, "room_id": room, "user_id": 7, "client_id": f"c{room}", "content": content}
        return Block(id, data=json.dumps(data))

    reader._take(Block("5.1-0_3.7-0"), "stream 1")
    reader._take(Block("5.1-0_3.lost"), "stream 2")
    reader._take(Block("5.1-0_3.8-0", "reset", '{"room_id": 3, "cursor": "8-0"}'), "stream 1")
    reader._take(block("5.2-0_3.8-0", 5, "2-0", "1-0"), "stream 1")
    reader._take(block("5.2-0_3.9-0", 3, "9-0", "8-0"), "stream 1")
    assert (reader.complaints, reader.tracks[5].complaints, reader.tracks[3].complaints) == ([], [], [])
    assert (reader.id, reader.tracks[5].cursor, reader.tracks[3].cursor) == ("5.2-0_3.9-0", "2-0", "9-0")
    assert [seen.after for seen in reader.tracks[3].seen] == ["8-0"]
    reader._take(block("5.2-5_3.9-1", 3, "9-1", "9-0"), "stream 1")  # past a void in the other room
    reader._take(Block("5.2-5_3.9-1"), "stream 2")
    assert (reader.complaints, reader.tracks[5].complaints) == ([], [])
    reader._take(Block("5.2-6_3.9-1"), "stream 3")
    assert "moved from 2-5 to 2-6 without a reset" in reader.tracks[5].complaints[0]
    reader._take(block("5.1-0_3.9-5", 3, "9-5", "9-1"), "stream 3")
    assert "moves room 5 back" in reader.complaints[0]


def test_a_chain_that_is_whole_is_let_pass() -> None:
    assert list(judge_chain(EVENTS)) == []


@pytest.mark.parametrize(
    "prev",
    [
        pytest.param("1-0", id="passes over an event"),
        pytest.param("2-0", id="passes over a void"),
        pytest.param("3-7", id="follows one that is not there"),
    ],
)
def test_a_chain_that_is_broken_is_found(prev: str) -> None:
    assert [id for _, id in judge_chain([*EVENTS[:3], Entry("4-0", prev, "message", C.name)])] == ["4-0"]


def test_a_fault_is_recovered_from_when_both_chats_post_and_deliver_what_was_begun_after_it() -> None:
    journal = Journal()
    journal.posts = [A, B, C]
    journal.faults = [Fault("redis-kill", 0.0, until=0.4), Fault("redis-kill", 0.0, until=1.5)]
    reader = Reader(1, [1], Person(7, {}), journal, [], 1, "now")
    reader.tracks[1].seen = [
        Seen(1.7, "2-0", "1-0", message("2-0", B), "stream 1 via chat-b", "1-0"),
        Seen(2.9, "4-0", "2-0", message("4-0", C), "stream 2 via chat-a", "2-0"),
    ]
    recovery = Recoveries(journal, [reader], ["chat-a", "chat-b"]).by_kind()["redis-kill"]
    # After the second one nothing came through chat b any more.
    assert (recovery.count, recovery.recovered) == (2, 1)
    assert recovery.slowest == pytest.approx(2.5)


def test_a_seed_repeats_a_plan_and_every_kind_comes_once_before_any_comes_again() -> None:
    kinds = list(KINDS)
    first, again, other = (Plan(seed, kinds, len(kinds), 60, 3.0) for seed in (1, 1, 2))
    assert first.faults == again.faults != other.faults
    assert sorted(kind for _, kind, _ in first.faults) == sorted(kinds)


def test_no_fault_outlasts_what_it_is_given() -> None:
    assert Dice(1, 3.0).seconds(30.0) == 3.0


def test_a_part_stands_for_all_its_kinds_and_an_unknown_kind_is_refused_by_name() -> None:
    assert set(possible(["mongo"])) == {kind for kind in KINDS if kind.startswith("mongo-")}
    with pytest.raises(ValueError, match="redis-explode"):
        possible(["redis-explode"])


def test_the_longest_silence_is_found() -> None:
    journal = Journal()
    assert journal.longest_silence() == (0.0, 0.0)
    for at in (1.0, 2.0, 9.5, 10.0):
        answer = Attempt(at, "chat-a", until=at, status=201, id="1-0")
        refusal = Attempt(at - 0.5, "chat-a", until=at - 0.5, status=503)
        journal.posts.append(Post(1, 7, f"c-{at}", "hello", [refusal, answer]))
    assert journal.longest_silence() == (7.5, 2.0)
