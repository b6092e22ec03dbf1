"""The judge of scripts/torture: what is broken is found, and what is allowed is let pass."""

from __future__ import annotations

import pytest
from torturing.archived import Entry, judge_chain
from torturing.client import Door, Person
from torturing.dice import Dice
from torturing.journal import Attempt, Fault, Journal, Post
from torturing.plan import KINDS, Plan, possible
from torturing.reader import Reader, Seen
from torturing.record import judge_record
from torturing.recovery import Recoveries

A = Post(1, 7, "a", "a", [Attempt(0.0, "chat-a", 0.5, 201, "1-0")])
B = Post(1, 7, "b", "b", [Attempt(1.0, "chat-b", 1.5, 201, "2-0")])
C = Post(1, 7, "c", "c", [Attempt(2.0, "chat-a", 2.5, 201, "4-0")])
POSTS = {post.name: post for post in (A, B, C)}

EVENTS = [
    Entry("1-0", "0-0", "message", A.name),
    Entry("2-0", "1-0", "message", B.name),
    Entry("3-0", "2-0", "void", (7, "")),
    Entry("4-0", "3-0", "message", C.name),
]


def seen(id: str, prev: str, post: Post, after: str, how: str = "stream 1 via chat-a") -> Seen:
    return Seen(3.0, id, prev, post.user, post.client_id, how, after)


WHOLE = [seen("1-0", "0-0", A, "0"), seen("2-0", "1-0", B, "1-0"), seen("4-0", "3-0", C, "2-0")]


def findings(record: list[Seen], start: tuple[int, int] = (0, 0)) -> set[str]:
    reader = Reader(1, 1, Person(7, {}), Journal(), [Door("chat-a", 1)], 1, "beginning")
    reader.seen, reader.start = record, start
    return {rule for rule, _, _ in judge_record(reader, EVENTS, POSTS)}


def test_a_record_that_is_whole_is_let_pass():
    assert findings(WHOLE) == set()


def test_what_came_before_a_reader_is_not_owed_to_it():
    assert findings(WHOLE[1:], start=(1, 0)) == set()


def test_a_message_that_never_came_is_found():
    assert findings([WHOLE[0], seen("4-0", "3-0", C, "1-0")]) == {"delivered"}


def test_a_message_that_came_again_later_than_where_it_stands_is_found():
    assert findings([*WHOLE, seen("5-0", "4-0", A, "4-0")]) == {"once"}


def test_a_message_that_was_seen_and_lost_may_come_again():
    lost = seen("1-5", "1-0", B, "1-0")
    assert findings([WHOLE[0], lost, seen("2-0", "1-0", B, "1-5"), WHOLE[2]]) == set()


def test_a_message_that_nobody_wrote_is_found():
    stranger = Post(1, 8, "x", "x")
    assert "stream" in findings([*WHOLE, seen("5-0", "4-0", stranger, "4-0")])


def test_a_link_past_a_message_is_found_even_where_that_came_in_another_way():
    by_page = seen("2-0", "1-0", B, "1-0", how="page via chat-a")
    past = seen("4-0", "2-0", C, "1-0")
    assert findings([WHOLE[0], by_page, past]) == {"prev"}


def test_a_link_that_denies_what_was_there_is_found():
    assert findings([*WHOLE[:2], seen("4-0", "1-0", C, "2-0")]) == {"prev"}


def test_a_link_to_nowhere_is_found():
    assert findings([*WHOLE[:2], seen("4-0", "3-9", C, "2-0")]) == {"prev"}


def test_a_chain_that_is_whole_is_let_pass():
    assert list(judge_chain(EVENTS)) == []


@pytest.mark.parametrize(
    "prev",
    [
        pytest.param("1-0", id="passes over an event"),
        pytest.param("2-0", id="passes over a void"),
        pytest.param("3-7", id="follows one that is not there"),
    ],
)
def test_a_chain_that_is_broken_is_found(prev):
    assert [id for _, id in judge_chain([*EVENTS[:3], Entry("4-0", prev, "message", C.name)])] == ["4-0"]


def test_a_fault_is_recovered_from_when_both_chats_post_and_deliver_what_was_begun_after_it():
    journal = Journal()
    journal.posts = [A, B, C]
    journal.faults = [Fault("redis-kill", 0.0, until=0.4), Fault("redis-kill", 0.0, until=1.5)]
    reader = Reader(1, 1, Person(7, {}), journal, [], 1, "now")
    reader.seen = [
        Seen(1.7, "2-0", "1-0", 7, "b", "stream 1 via chat-b", "1-0"),
        Seen(2.9, "4-0", "2-0", 7, "c", "stream 2 via chat-a", "2-0"),
    ]
    recovery = Recoveries(journal, [reader], ["chat-a", "chat-b"]).by_kind()["redis-kill"]
    # After the second one nothing came through chat b any more.
    assert (recovery.count, recovery.recovered, recovery.slowest) == (2, 1, pytest.approx(2.5))


def test_a_seed_repeats_a_plan_and_every_kind_comes_once_before_any_comes_again():
    kinds = list(KINDS)
    first, again, other = (Plan(seed, kinds, len(kinds), 60, 3.0) for seed in (1, 1, 2))
    assert first.faults == again.faults != other.faults
    assert sorted(kind for _, kind, _ in first.faults) == sorted(kinds)


def test_no_fault_outlasts_what_it_is_given():
    assert Dice(1, 3.0).seconds(30.0) == 3.0


def test_a_part_stands_for_all_its_kinds_and_an_unknown_kind_is_refused_by_name():
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
