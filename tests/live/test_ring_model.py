"""The ring against a plain list: whatever is pushed, repeated, cut off and asked for, both say the same."""

from __future__ import annotations

from contextlib import ExitStack
from unittest.mock import patch

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chatserver.live import frames as frames_module
from chatserver.live import ring as ring_module
from chatserver.live import sse
from chatserver.live.ring import Ring
from chatserver.model.cursor import BEGINNING, Cursor
from chatserver.model.events import Event
from tests.helpers.events_made import event

KEEP_FRAMES = 4
SLICE_BYTES = 700
"""Small, so that few events are cut and sliced: about three frames."""


class RingModel(RuleBasedStateMachine):
    """`log` is everything that ever was; the ring has the end of it."""

    @initialize(before=st.integers(0, 5))
    def open(self, before: int) -> None:
        self.limits = ExitStack()
        self.limits.enter_context(patch.multiple(ring_module, KEEP_FRAMES=KEEP_FRAMES))
        self.limits.enter_context(patch.multiple(frames_module, SLICE_BYTES=SLICE_BYTES))
        self.log: list[Event] = []
        self.grow([1] * before, [False] * before)
        start = self.log[-1].id if self.log else BEGINNING
        self.ring = Ring(start)
        self.pushed = len(self.log)
        """How much of the log the ring was told of."""

    def teardown(self) -> None:
        self.limits.close()

    def grow(self, steps: list[int], voids: list[bool]) -> None:
        for step, void in zip(steps, voids, strict=False):
            last = self.log[-1].id.ms if self.log else 0
            self.log.append(event(last + step, last, "void" if void else "message"))

    @rule(
        steps=st.lists(st.integers(1, 3), max_size=8),
        voids=st.lists(st.integers(0, 3).map(lambda n: n == 0), min_size=8, max_size=8),
        overlap=st.integers(0, 12),
        cut=st.integers(0, 8),
    )
    def push_news(self, steps: list[int], voids: list[bool], overlap: int, cut: int) -> None:
        """What follows, with some of what was there before, up to a cut from which the next push goes on."""
        self.grow(steps, voids)
        upto = max(self.pushed, len(self.log) - cut)
        new = self.ring.push(self.log[max(0, self.pushed - overlap) : upto])
        assert new == upto - self.pushed
        self.pushed = upto

    @rule(start=st.integers(0, 40), count=st.integers(0, 40))
    def push_repeats(self, start: int, count: int) -> None:
        assert self.ring.push(self.log[: self.pushed][start : start + count]) == 0

    @rule()
    def trim(self) -> None:
        """What stays is the end, never less than is kept."""
        before = self.kept()
        self.ring.trim()
        after = self.kept()
        assert before[len(before) - len(after) :] == after
        assert len(after) == len(before) or KEEP_FRAMES <= len(after) <= 2 * KEEP_FRAMES
        assert len(after) <= 2 * KEEP_FRAMES

    @rule(back=st.integers(0, 12))
    def forget(self, back: int) -> None:
        """What is up to some place may have been lost. What is behind it stays."""
        until = Cursor(max(0, self.ring.tip.ms - back), 0)
        expected = [each for each in self.kept() if each.id > until]
        self.ring.forget(until)
        assert self.kept() == expected

    @rule(start=st.integers(0, 60), end=st.integers(0, 60), chunked=st.booleans())
    def read(self, start: int, end: int, chunked: bool) -> None:
        """Slice by slice from anywhere that is covered, also from where no event is, to anywhere behind it."""
        span = self.ring.tip.ms - self.ring.start.ms
        first, last = sorted((self.ring.start.ms + start % (span + 1), self.ring.start.ms + end % (span + 1)))
        cursor, stop = Cursor(first, 0), Cursor(last, 0)
        expected = [each for each in self.kept() if cursor < each.id <= stop]
        while expected:
            data, reached = self.ring.between(cursor, stop, chunked=chunked)
            taken = [each for each in expected if each.id <= reached]
            assert reached == taken[-1].id
            frames = b"".join(map(sse.frame, taken))
            assert data == (sse.chunk(frames) if chunked and frames else frames)
            assert len(b"".join(map(sse.frame, taken[:-1]))) < SLICE_BYTES
            cursor, expected = reached, expected[len(taken) :]
        assert self.ring.between(cursor, stop, chunked=chunked) == (b"", cursor)

    @invariant()
    def it_says_where_it_begins_and_ends(self) -> None:
        if not hasattr(self, "ring"):
            return
        known = self.log[: self.pushed]
        assert self.ring.tip == (known[-1].id if known else BEGINNING)
        kept = {each.id for each in self.kept()} | {self.ring.start}
        for ms in range(self.ring.tip.ms + 3):
            cursor = Cursor(ms, 0)
            assert self.ring.knows(cursor) == (cursor in kept)
            assert self.ring.covers(cursor) == (self.ring.start <= cursor <= self.ring.tip)

    def kept(self) -> list[Event]:
        return [each for each in self.log[: self.pushed] if each.id > self.ring.start]


RingModel.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestRing = RingModel.TestCase
