"""Events for tests of what works in memory."""

from itertools import pairwise

from chatserver.model.cursor import Cursor
from chatserver.model.events import Body, Event, Kind, draft_message

ROOM = 42


def event(ms: int, prev: int, kind: Kind = "message") -> Event:
    draft = draft_message(Body(ROOM, 7, "ada", f"at {ms}", "2026-11-23T09:41:00.000Z", f"c-{ms}"))
    return Event(ROOM, Cursor(ms, 0), Cursor(prev, 0), kind, 7, f"c-{ms}", draft.payload)


def chain(*places: int) -> list[Event]:
    """Events at these milliseconds, each linked to the one before, the first to the beginning."""
    return [event(ms, prev) for prev, ms in pairwise((0, *places))]
