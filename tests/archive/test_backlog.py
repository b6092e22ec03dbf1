"""What of a stream follows what is archived. (That whole logs are read right is in test_log_model.py.)"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chatserver.archive.backlog import contiguous_tail, is_linked, what_follows
from chatserver.model.cursor import BEGINNING, Cursor
from tests.helpers.events_made import chain, event


@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 12))
def test_what_is_in_both_is_read_once(archived: int, trimmed: int, limit: int) -> None:
    """A stream that still has, or does not have any more, what is archived: what follows is the same."""
    log = chain(*range(1, 41))
    last = log[archived - 1].id if archived else BEGINNING
    streamed = [each for each in log[min(trimmed, archived) :] if each.id > last][:limit]
    assert what_follows(last, streamed, is_archived=bool(archived)) == log[archived : archived + limit]


def test_a_stream_that_begins_further_on_has_a_hole_in_front_of_it() -> None:
    assert what_follows(Cursor(1, 0), [event(5, 3)], is_archived=True) is None


def test_a_stream_of_a_lost_branch_does_not_follow() -> None:
    """The archive went on from 1-0 with 4-0; 5-0 says that it follows 2-0, which was refused."""
    assert what_follows(Cursor(4, 0), [event(5, 2)], is_archived=True) == []


def test_a_reader_of_a_lost_branch_goes_on_with_what_counts() -> None:
    """It saw 4-0, which was lost, and what follows is linked to what was there before."""
    following = [event(5, 3), event(6, 5)]
    assert what_follows(Cursor(4, 0), following, is_archived=False) == following


def test_a_tail_ends_where_the_links_break() -> None:
    assert contiguous_tail([]) == []
    assert contiguous_tail([event(1, 0), event(5, 4), event(6, 5)]) == [event(5, 4), event(6, 5)]


def test_a_page_is_linked_if_every_event_follows_the_one_before() -> None:
    assert is_linked(BEGINNING, chain(1, 2, 3))
    assert not is_linked(Cursor(1, 0), chain(2, 3))
    assert not is_linked(BEGINNING, [event(1, 0), event(3, 2)])
