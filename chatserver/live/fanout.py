"""A fan-out: streams that are all sent the same. Those at the tip, the *live* ones, get the same bytes from a loop that
does nothing else and waits for none of them; the others catch up by themselves and join them there.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection

from chatserver.live import sse
from chatserver.live.frames import framed
from chatserver.live.subscription import Subscription
from chatserver.model.cursor import Cursor

HEARTBEAT_SECONDS = 20.0
"""Silence after which a comment is sent, ± 10 %. Routers drop idle connections after 30 s and more; Heroku after 55."""


AGAIN_MS = (1_000, 4_000)
"""Reconnect delay for streams that were closed together, drawn for each."""


class Fanout:
    """`room_ids`: the rooms that all of these streams follow."""

    def __init__(self, room_ids: tuple[int, ...]) -> None:
        self.room_ids = room_ids
        self.finished = False
        """True when nothing is left to follow: a stream that reaches the tip is told so, and ends for good."""
        self.is_closed = False
        self._loop = asyncio.get_running_loop()
        # The live sockets' own `send`, so that the loop of a round looks nothing up.
        self._live: dict[bool, dict[Subscription, Callable[[bytes], int]]] = {True: {}, False: {}}
        self._catching_up: set[Subscription] = set()
        self._parked: set[Subscription] = set()
        self._heartbeat_at = self._next_heartbeat()

    # For subscriptions

    def go_live(self, subscription: Subscription) -> None:
        self._catching_up.discard(subscription)
        self._live[subscription.chunked][subscription] = subscription.socket.send

    def park(self, subscription: Subscription) -> None:
        """Sets aside a reader that has nothing to take and is not at the tip. The next round or tick resumes it."""
        self._parked.add(subscription)

    def stop_live(self, subscription: Subscription) -> None:
        """Excludes a subscription from rounds: from now on it sends by itself."""
        if self._live[subscription.chunked].pop(subscription, None) is not None:
            self._catching_up.add(subscription)

    def leave(self, subscription: Subscription) -> None:
        self._live[subscription.chunked].pop(subscription, None)
        self._catching_up.discard(subscription)
        self._parked.discard(subscription)

    # For everyone else

    def signal(self, frame: bytes) -> None:
        """Sends a frame without an id to all live subscriptions. It is not repeated later."""
        self._send_to_live(frame)
        self._heartbeat_at = self._next_heartbeat()

    def send_to(self, subscriptions: Collection[Subscription], frame: bytes) -> None:
        """Sends a frame without an id to those of the subscriptions that are live."""
        for chunked, live in self._live.items():
            some = {each: live[each] for each in subscriptions if each in live}
            if some:
                self._send(framed(frame, chunked), some)

    def tick(self, now: float, stuck_since: float) -> None:
        """Runs every second: sends a heartbeat after silence, and closes readers that took nothing for too long.

        `now`, `stuck_since`: seconds of the loop's clock.
        """
        for subscription in [each for each in self._catching_up if each.is_stuck(stuck_since)]:
            subscription.close()
        self._resume_parked()
        if now >= self._heartbeat_at:
            self._send_to_live(sse.HEARTBEAT)
            self._heartbeat_at = self._next_heartbeat()

    def redact_unsent(self, room_id: int, id: Cursor) -> None:
        """Removes the text of a deleted message from everything that is not sent yet."""
        for subscription in list(self._catching_up):  # the live ones have taken everything
            subscription.redact(room_id, id)

    def subscriptions(self) -> list[Subscription]:
        return [*self._all_live(), *self._catching_up]

    def close(self) -> None:
        """Closes all streams; their readers resume. A stream that was still being opened is ended when it joins."""
        self.is_closed = True
        for subscription in self.subscriptions():
            subscription.close()

    # For subclasses

    def _begin(self, subscription: Subscription) -> None:
        self._catching_up.add(subscription)
        if self.is_closed:
            subscription.end(sse.retry(random.randint(*AGAIN_MS)))
        else:
            subscription.start()

    def _send_to_live(self, frames: bytes) -> None:
        """Readers that do not take all of it fall behind. The tip must already stand behind these bytes."""
        for chunked, live in self._live.items():
            if live and frames:
                self._send(framed(frames, chunked), live)

    def _send(self, data: bytes, live: dict[Subscription, Callable[[bytes], int]]) -> None:
        whole = len(data)
        behind: list[tuple[Subscription, int]] = []
        for subscription, send in live.items():
            try:
                taken = send(data)
            except (BlockingIOError, InterruptedError):
                taken = 0
            except OSError:
                taken = -1
            if taken != whole:
                behind.append((subscription, taken))
        for subscription, taken in behind:
            if taken < 0:
                subscription.close()
            else:
                self.stop_live(subscription)
                subscription.stop_in_the_midst(data, taken)

    def _resume_parked(self) -> None:
        parked, self._parked = self._parked, set()
        for subscription in parked:
            subscription.advance()

    def _all_live(self) -> list[Subscription]:
        return [*self._live[True], *self._live[False]]

    def _is_empty(self) -> bool:
        return not (self._live[True] or self._live[False] or self._catching_up)

    def _next_heartbeat(self) -> float:
        return self._loop.time() + HEARTBEAT_SECONDS * random.uniform(0.9, 1.1)
