"""Viewers: the streams that have a room on a screen. Signals of a room, as typing and presence, are sent to these
alone: most streams follow many rooms, and their readers look at one."""

from __future__ import annotations

from collections.abc import Iterable

from chatserver.live.subscription import Source, Subscription


class Viewers:
    """Streams by room and fan-out: those of one fan-out get a frame in one go."""

    def __init__(self) -> None:
        self._rooms: dict[int, dict[Source, set[Subscription]]] = {}

    def add(self, subscription: Subscription, room_ids: Iterable[int]) -> None:
        for room_id in room_ids:
            self._rooms.setdefault(room_id, {}).setdefault(subscription.source, set()).add(subscription)

    def remove(self, subscription: Subscription, room_ids: Iterable[int]) -> None:
        """Removes a stream. `room_ids` must be those that it was added with."""
        source = subscription.source
        for room_id in room_ids:
            sources = self._rooms[room_id]
            sources[source].remove(subscription)
            if not sources[source]:
                del sources[source]
            if not sources:
                del self._rooms[room_id]

    def signal(self, room_id: int, frame: bytes) -> None:
        """Sends a frame without an id to the live streams that have the room on a screen. It is not repeated later."""
        for source, subscriptions in list(self._rooms.get(room_id, {}).items()):
            source.send_to(subscriptions, frame)
