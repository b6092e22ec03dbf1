"""Which streams have which room on a screen. What passes in a room, as typing and presence, is sent to these alone:
most streams follow many rooms, and their readers look at one."""

from __future__ import annotations

from collections.abc import Iterable

from chatserver.live.subscription import Source, Subscription


class Viewers:
    """Grouped by what they follow: streams that are sent the same are sent it in one go."""

    def __init__(self) -> None:
        self._rooms: dict[int, dict[Source, set[Subscription]]] = {}

    def add(self, subscription: Subscription, room_ids: Iterable[int]) -> None:
        for room_id in room_ids:
            self._rooms.setdefault(room_id, {}).setdefault(subscription.source, set()).add(subscription)

    def remove(self, subscription: Subscription, room_ids: Iterable[int]) -> None:
        """The same rooms as it was added with."""
        source = subscription.source
        for room_id in room_ids:
            sources = self._rooms[room_id]
            sources[source].remove(subscription)
            if not sources[source]:
                del sources[source]
            if not sources:
                del self._rooms[room_id]

    def signal(self, room_id: int, frame: bytes) -> None:
        """A frame without an id to those who have the room on a screen and are live now. Nobody gets it later."""
        for source, subscriptions in list(self._rooms.get(room_id, {}).items()):
            source.send_to(subscriptions, frame)
