"""However archive and stream overlap, reading page by page gives every event once, in order."""

from hypothesis import given
from hypothesis import strategies as st

from chatserver.backlog import contiguous_tail, find_hole, merge_after, merge_before
from chatserver.cursor import BEGINNING, END, Cursor
from chatserver.events import Event
from tests.events_made import chain, event


@st.composite
def logs(draw: st.DrawFn) -> tuple[list[Event], list[Event], list[Event]]:
    """A whole log; the part in the archive (any part of it); the part in the stream (its end, from some point on).
    What is not archived is in the stream, as the trimming promises."""
    log = chain(*range(1, draw(st.integers(0, 40)) + 1))
    start_of_stream = draw(st.integers(0, len(log)))
    archived = [e for i, e in enumerate(log) if i < start_of_stream or draw(st.booleans())]
    return log, archived, log[start_of_stream:]


@given(logs(), st.integers(1, 12), st.integers(0, 45))
def test_pages_forward_are_complete_and_in_order(
    parts: tuple[list[Event], list[Event], list[Event]], limit: int, start: int
) -> None:
    log, archived, streamed = parts
    cursor, read = Cursor(start, 0), list[Event]()
    while page := merge_after(
        [e for e in archived if e.id > cursor][:limit], [e for e in streamed if e.id > cursor][:limit], limit
    ):
        assert find_hole(cursor, page) is None
        read += page
        cursor = page[-1].id
    assert read == [e for e in log if e.id > Cursor(start, 0)]


@given(logs(), st.integers(1, 12))
def test_pages_backward_are_complete_and_in_order(
    parts: tuple[list[Event], list[Event], list[Event]], limit: int
) -> None:
    log, archived, streamed = parts
    cursor, read = END, list[Event]()
    while page := merge_before(
        [e for e in archived if e.id < cursor][-limit:], [e for e in streamed if e.id < cursor][-limit:], limit
    ):
        assert contiguous_tail(page) == page
        read = page + read
        cursor = page[0].id
    assert read == log


def test_where_both_have_an_event_the_archive_says_what_it_is() -> None:
    void = event(2, 1, "void")
    streamed = chain(1, 2, 3)
    assert merge_after([void], streamed, 10) == [streamed[0], void, streamed[2]]
    assert merge_before([void], streamed, 10) == [streamed[0], void, streamed[2]]


def test_a_missing_event_is_a_hole_and_names_its_neighbours() -> None:
    first, _, third = chain(1, 2, 3)
    assert find_hole(BEGINNING, [first, third]) == (Cursor(2, 0), Cursor(1, 0))
    assert find_hole(BEGINNING, [first, event(2, 1, "void"), third]) is None


def test_a_void_may_hang_at_the_side_of_the_chain() -> None:
    """It was lost before it counted, and what came next was linked to the event before it."""
    assert find_hole(BEGINNING, [event(1, 0), event(2, 1, "void"), event(3, 1)]) is None


def test_a_void_at_the_cursor_hides_no_hole() -> None:
    assert find_hole(Cursor(2, 0), [event(3, 1)]) is None
    assert find_hole(Cursor(2, 0), [event(9, 5)]) == (Cursor(5, 0), Cursor(2, 0))


def test_a_tail_ends_where_the_links_break() -> None:
    assert contiguous_tail([]) == []
    assert contiguous_tail([event(1, 0), event(5, 4), event(6, 5)]) == [event(5, 4), event(6, 5)]
