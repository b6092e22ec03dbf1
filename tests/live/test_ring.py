"""The ring gives a reader exactly what is behind its cursor, or says that it can't."""

from hypothesis import given
from hypothesis import strategies as st

from chatserver.live import sse
from chatserver.live.frames import SLICE_BYTES
from chatserver.live.ring import KEEP_FRAMES, Ring
from chatserver.model.cursor import BEGINNING, Cursor
from tests.helpers.events_made import chain, event


def filled(*places: int) -> Ring:
    ring = Ring(BEGINNING)
    ring.push(chain(*places))
    return ring


@given(st.integers(0, 60), st.integers(0, 60), st.booleans())
def test_slices_from_any_cursor_to_any_end_are_what_lies_between(start: int, end: int, chunked: bool) -> None:
    events = chain(*range(1, 51))
    ring = filled(*range(1, 51))
    cursor, stop = Cursor(min(start, end), 0), Cursor(max(start, end), 0)
    data, reached = ring.between(cursor, stop, chunked=chunked)
    expected = b"".join(sse.frame(e) for e in events if cursor < e.id <= stop)
    assert data == (sse.chunk(expected) if chunked and expected else expected)
    assert reached == (min(stop, Cursor(50, 0)) if expected else cursor)


@given(st.lists(st.integers(0, 30), max_size=60))
def test_repeats_and_late_comers_change_nothing(noise: list[int]) -> None:
    events = chain(*range(1, 31))
    ring = Ring(BEGINNING)
    for upto, index in enumerate(noise):
        ring.push(events[: min(upto, 30)])
        ring.push(events[min(index, upto, 30) : min(upto, 30)])
    ring.push(events)
    assert ring.between(BEGINNING, ring.tip, chunked=False).data == b"".join(map(sse.frame, events))


def test_a_long_way_is_given_in_slices() -> None:
    ring = filled(*range(1, 1001))
    cursor, taken = BEGINNING, b""
    while cursor < ring.tip:
        data, cursor = ring.between(cursor, ring.tip, chunked=False)
        assert 0 < len(data) < 2 * SLICE_BYTES
        taken += data
    assert taken == b"".join(map(sse.frame, chain(*range(1, 1001))))


def test_old_frames_go_and_cursors_before_them_are_not_covered() -> None:
    places = range(1, 2 * KEEP_FRAMES + 2)
    ring = filled(*places)
    ring.trim()
    assert not ring.covers(BEGINNING)
    assert ring.covers(ring.start)
    assert ring.knows(ring.start)
    data, reached = ring.between(ring.start, Cursor(ring.start.ms + 1, 0), chunked=False)
    assert reached == Cursor(ring.start.ms + 1, 0)
    assert data == sse.frame(event(reached.ms, ring.start.ms))


def test_big_frames_count_by_their_bytes() -> None:
    ring = Ring(BEGINNING)
    for place in range(1, 200):
        big = event(place, place - 1)
        ring.push([type(big)(42, big.id, big.prev, "message", 7, big.client_id, big.payload + b" " * 12_000)])
        ring.trim()
    assert len(ring.between(ring.start, ring.tip, chunked=False).data) < 2 * SLICE_BYTES
    assert sum(1 for place in range(1, 200) if ring.knows(Cursor(place, 0))) < 100


def test_only_real_places_are_known() -> None:
    ring = filled(10, 20, 30)
    assert [place for place in range(40) if ring.knows(Cursor(place, 0))] == [0, 10, 20, 30]


def test_voids_are_places_without_bytes() -> None:
    ring = Ring(BEGINNING)
    ring.push([event(1, 0), event(2, 1, "void"), event(3, 2, "void")])
    assert ring.knows(Cursor(3, 0))
    assert ring.between(Cursor(1, 0), ring.tip, chunked=True) == (b"", Cursor(3, 0))
