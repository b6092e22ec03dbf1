"""Each kind of event is described once, and what the description says is what happens."""

from __future__ import annotations

from typing import get_args

import pytest
from msgspec.structs import replace

from chatserver.live import sse
from chatserver.model.cursor import Cursor
from chatserver.model.event_kinds import LASTING, PASSING, UNKNOWN, Sent, kind_of
from chatserver.model.events import Event, Kind
from chatserver.model.signal_data import SignalName
from tests.helpers.events_made import event
from tests.test_structure import CHATSERVER

KINDS = [*get_args(Kind)]


def test_every_kind_has_a_row() -> None:
    assert set(LASTING) == set(KINDS)
    assert set(PASSING) == set(get_args(SignalName))


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_sent_as_its_row_says(kind: Kind) -> None:
    frame = sse.frame(event(5, 4, kind))
    sent = LASTING[kind].sent
    assert (frame == b"") == (sent is Sent.NEVER)
    assert (b"event: %b\n" % kind.encode() in frame) == (sent is Sent.BY_NAME)
    assert frame.endswith(sse.DONE) == (sent is Sent.AS_END)


def test_what_changes_a_message_says_how() -> None:
    assert all(kind.is_change == (kind.apply is not None) for kind in LASTING.values())
    assert sum(kind.is_message for kind in LASTING.values()) == 1


def test_a_kind_of_a_newer_release_is_handed_on_by_its_name() -> None:
    newer = replace(Event(1, Cursor(5, 0), Cursor(4, 0), "message", 1, "x", b'{"room_id":1}'), kind="poll")
    assert kind_of(newer) is UNKNOWN
    assert sse.frame(newer) == b'id: 5-0\nevent: poll\ndata: {"id":"5-0","prev":"4-0","room_id":1}\n\n'


def test_nobody_else_tells_kinds_apart_by_their_names() -> None:
    for path in CHATSERVER.rglob("*.py"):
        for line in path.read_text().splitlines():
            compares = ".kind ==" in line or ".kind !=" in line or '"kind"] ==' in line
            assert not (compares and '"' in line.partition(".kind")[2]), f"{path.name}: {line.strip()}"
