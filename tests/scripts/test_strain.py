"""The judge of scripts/strain: what a crowd missed, got twice or got torn is found."""

from __future__ import annotations

import json

import pytest

from strain.record import Record, judge


def event(id: str, prev: str, name: str) -> dict[str, str]:
    return {"id": id, "prev": prev, "client_id": name}


def frame(id: str, prev: str, name: str) -> bytes:
    return f"id: {id}\ndata: {json.dumps(event(id, prev, name))}\n\n".encode()


FRAMES = [frame("1-0", "0-0", "a"), frame("2-0", "1-0", "b"), frame("3-0", "2-0", "c")]
EVENTS = [event("1-0", "0-0", "a"), event("2-0", "1-0", "b"), event("3-0", "2-0", "c")]
ACKNOWLEDGED = {"a": "1-0", "b": "2-0", "c": "3-0"}


def test_whoever_is_ahead_writes_and_the_others_are_compared() -> None:
    record = Record()
    ahead = record.advance(0, FRAMES[0] + FRAMES[1])
    assert ahead == len(record)
    behind = record.advance(0, FRAMES[0])
    assert behind is not None
    assert record.id_before(behind) == "1-0"
    assert record.advance(behind, FRAMES[1] + FRAMES[2]) == len(record)
    assert record.events() == EVENTS


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param(FRAMES[2], id="one is missing"),
        pytest.param(FRAMES[0] + FRAMES[1], id="one comes twice"),
        pytest.param(FRAMES[1][:20] + FRAMES[2], id="one is torn"),
    ],
)
def test_what_others_did_not_get_is_found(frames: bytes) -> None:
    record = Record()
    record.advance(0, b"".join(FRAMES))
    assert record.advance(len(FRAMES[0]), frames) is None


def test_a_record_that_is_whole_is_let_pass() -> None:
    assert judge(EVENTS, ACKNOWLEDGED) == []


@pytest.mark.parametrize(
    ("events", "found"),
    [
        pytest.param([EVENTS[0], EVENTS[2]], "2-0 (b) was acknowledged and never came", id="lost"),
        pytest.param([*EVENTS, event("4-0", "3-0", "b")], "b came 2 times", id="doubled"),
        pytest.param([EVENTS[1], EVENTS[0], EVENTS[2]], "1-0 came behind 2-0", id="out of order"),
        pytest.param([*EVENTS, event("5-0", "4-0", "d")], "5-0 says that it follows 4-0", id="a broken link"),
    ],
)
def test_what_is_wrong_with_a_record_is_said(events: list[dict[str, str]], found: str) -> None:
    assert any(text.startswith(found) for text in judge(events, ACKNOWLEDGED))
