"""Passing signals between processes: somebody types, is here, has read on; the list of rooms changed.

A signal is gone when it was delivered, or when it was not: it stands in no log, has no id and is never given again. All
of them go over one channel of Redis, and each process hands those it hears to the streams that are open there.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from chatserver.errors import Unavailable
from chatserver.live import sse
from chatserver.live.hub import Hub
from chatserver.live.open_streams import OpenStreams
from chatserver.log.wakeups import Wakeups
from chatserver.model.event_kinds import PASSING
from chatserver.model.signal_data import SignalName
from chatserver.support.background import Background, BackgroundTask

CHANNEL = "harbour:signals"

MAX_QUEUED_SIGNALS = 2_000
"""Signals that may wait for Redis. On top of that the oldest are lost: the newer ones say more."""

SIGNALS_PER_PUBLICATION = 100
"""Signals of one publication, together under 64 KiB."""

MAX_DATA = 600
"""Bytes of one signal's JSON: a name has at most MAX_SIGNAL_TEXT characters, which are four bytes each."""

log = logging.getLogger(__name__)


class Signal(msgspec.Struct, frozen=True, omit_defaults=True):
    """`data`: as PASSING has it; the rest of what is heard goes no further, since all who reach Redis may publish.
    `room_id`: for those who follow this room; None for all. `user_id`: of those only this user's own streams."""

    name: SignalName
    data: dict[str, Any] = {}
    room_id: int | None = None
    user_id: int | None = None

    def checked(self) -> Signal:
        """The same with nothing in its data but what belongs there. Raises msgspec.ValidationError."""
        data: dict[str, Any] = msgspec.to_builtins(msgspec.convert(self.data, PASSING[self.name]))
        if data.get("room_id") != self.room_id:
            raise msgspec.ValidationError("it is about another room than it is for")
        return msgspec.structs.replace(self, data=data)


_encoder = msgspec.json.Encoder()
_list_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_decoder = msgspec.json.Decoder(Signal)


class Signals:
    """Says signals to all processes, this one too, and delivers what is heard. Nobody waits for it."""

    def __init__(self, wakeups: Wakeups, hub: Hub, open_streams: OpenStreams) -> None:
        self._wakeups = wakeups
        self._hub = hub
        self._open_streams = open_streams
        self._waiting: deque[Signal] = deque(maxlen=MAX_QUEUED_SIGNALS)
        self._has_waiting = asyncio.Event()
        self._callbacks: list[Callable[[Signal], None]] = []
        self._task: BackgroundTask | None = None
        wakeups.subscribe(CHANNEL, self._on_message)

    def start(self, background: Background) -> None:
        self._task = background.start("signals", self._send_for_ever)

    async def stop(self) -> None:
        if self._task is not None:
            await self._task.stop()

    def subscribe(self, callback: Callable[[Signal], None]) -> None:
        """Registers a callback for each signal that arrives, this process's own too."""
        self._callbacks.append(callback)

    def send(self, signal: Signal) -> None:
        """Sends a signal on its way. Raises ValueError for one that is no signal but a letter."""
        if len(_encoder.encode(signal.data)) > MAX_DATA:
            raise ValueError(f"a signal has at most {MAX_DATA} bytes")
        self._waiting.append(signal)
        self._has_waiting.set()

    async def _send_for_ever(self) -> None:
        while True:
            await self._has_waiting.wait()
            some = [self._waiting.popleft() for _ in range(min(SIGNALS_PER_PUBLICATION, len(self._waiting)))]
            if not self._waiting:
                self._has_waiting.clear()
            try:
                await self._wakeups.publish(CHANNEL, _encoder.encode(some).decode())
            except Unavailable as error:
                log.warning("%d signals are lost: %s", len(some), error.__cause__ or error)

    def _on_message(self, data: bytes) -> None:
        signals = list(_readable(data))
        # What came together for the same readers goes out together.
        frames: dict[tuple[int | None, int | None], list[bytes]] = {}
        for signal in signals:
            frame = sse.signal(signal.name, _encoder.encode(self._spread(signal)))
            frames.setdefault((signal.room_id, signal.user_id), []).append(frame)
            for callback in self._callbacks:
                callback(signal)
        for (room_id, user_id), some in frames.items():
            self._deliver(room_id, user_id, b"".join(some))

    def _spread(self, signal: Signal) -> dict[str, Any]:
        """What the streams here are told. All hear at the same moment that a room was made, and should follow it one
        after the other: `within` (milliseconds) is the time that it takes all of them."""
        if "made" not in signal.data:
            return signal.data
        return {**signal.data, "within": self._open_streams.one_after_the_other_ms}

    def _deliver(self, room_id: int | None, user_id: int | None, frames: bytes) -> None:
        if room_id is None:
            self._hub.announce(frames)
        elif user_id is None:
            self._open_streams.signal(room_id, frames)
        else:
            self._open_streams.send_to(user_id, room_id, frames)


def _readable(said: bytes) -> Iterator[Signal]:
    """The signals of a publication, but for those that can't be read: while one release takes over from another, one of
    them knows more signals."""
    try:
        for each in _list_decoder.decode(said):
            try:
                yield _decoder.decode(each).checked()
            except msgspec.MsgspecError as error:
                log.warning("a signal can't be read: %.100s", error)
    except msgspec.MsgspecError as error:
        log.warning("signals can't be read: %.100s", error)
