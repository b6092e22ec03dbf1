"""Ephemeral signals between processes: typing, presence, read marks, and changes of the list of rooms.

Signals are not stored or replayed: they stand in no log and have no id. All of them go over one channel of Redis, and
each process delivers those it receives to the streams that are open there.
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
"""Signals that may wait for Redis. Beyond that the oldest are dropped: the newer ones say more."""

SIGNALS_PER_PUBLICATION = 100
"""Signals of one publication, together under 64 KiB."""

MAX_DATA = 600
"""Bytes of one signal's JSON: a name has at most MAX_SIGNAL_TEXT characters, which are four bytes each."""

log = logging.getLogger(__name__)


class Signal(msgspec.Struct, frozen=True, omit_defaults=True):
    """`data`: the fields that PASSING names; others are dropped, since anything that reaches Redis may publish.
    `room_id`: for the readers of this room; None for all. `user_id`: of these only this user's own streams."""

    name: SignalName
    data: dict[str, Any] = {}
    room_id: int | None = None
    user_id: int | None = None

    def checked(self) -> Signal:
        """Returns the signal with only the known fields in its data. Raises msgspec.ValidationError."""
        data: dict[str, Any] = msgspec.to_builtins(msgspec.convert(self.data, PASSING[self.name]))
        if data.get("room_id") != self.room_id:
            raise msgspec.ValidationError("it is about another room than it is for")
        return msgspec.structs.replace(self, data=data)


_encoder = msgspec.json.Encoder()
_list_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_decoder = msgspec.json.Decoder(Signal)


class Signals:
    """Sends signals to all processes, this one too, and delivers those it receives. No caller waits for it."""

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
        """Queues a signal for sending. Raises ValueError if its data exceeds MAX_DATA."""
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
        # Signals that came together for the same readers go out together.
        frames: dict[tuple[int | None, int | None], list[bytes]] = {}
        for signal in signals:
            frame = sse.signal(signal.name, _encoder.encode(self._spread(signal)))
            frames.setdefault((signal.room_id, signal.user_id), []).append(frame)
            for callback in self._callbacks:
                callback(signal)
        for (room_id, user_id), some in frames.items():
            self._deliver(room_id, user_id, b"".join(some))

    def _spread(self, signal: Signal) -> dict[str, Any]:
        """Returns the data for the streams here. All of them learn of a new room at the same moment, and should follow
        it one after the other: `within` (milliseconds) is the time for all of them."""
        if "made" not in signal.data:
            return signal.data
        return {**signal.data, "within": self._open_streams.one_after_the_other_ms}

    def _deliver(self, room_id: int | None, user_id: int | None, frames: bytes) -> None:
        if room_id is None:
            self._hub.broadcast(frames)
        elif user_id is None:
            self._open_streams.signal(room_id, frames)
        else:
            self._open_streams.send_to(user_id, room_id, frames)


def _readable(said: bytes) -> Iterator[Signal]:
    """Yields the signals of a publication, and skips unreadable ones: during a rolling release one of the two versions
    knows more signals."""
    try:
        for each in _list_decoder.decode(said):
            try:
                yield _decoder.decode(each).checked()
            except msgspec.MsgspecError as error:
                log.warning("a signal can't be read: %.100s", error)
    except msgspec.MsgspecError as error:
        log.warning("signals can't be read: %.100s", error)
