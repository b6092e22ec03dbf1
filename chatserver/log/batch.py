"""A batch: many requests that a script of the logs serves in one run for each partition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from chatserver.log.keys import PARTITIONS, pending_key
from chatserver.support.redis_scripts import Call


class Request(Protocol):
    """One of many requests that a script serves in one run. `all_keys`: the keys of its room that the script needs, the
    same for all requests of a room."""

    @property
    def room_id(self) -> int: ...

    def all_keys(self) -> Sequence[bytes | str]: ...


R = TypeVar("R", bound=Request)


class Batch(Generic[R]):
    """Groups requests by partition, one run of a script for each, and matches the answers to the requests."""

    def __init__(self, requests: Sequence[R]) -> None:
        self._requests = requests
        self._by_partition: dict[int, list[int]] = {}
        for index, request in enumerate(requests):
            self._by_partition.setdefault(request.room_id % PARTITIONS, []).append(index)

    def calls(
        self,
        arguments_of: Callable[[R], dict[str, Any]],
        *shared: Any,
        keys_of: Sequence[Callable[[int], str]] = (pending_key,),
    ) -> list[Call]:
        """Returns the calls, one for each partition. `arguments_of`: a request as the script reads it, without `keys`,
        the index of its room's first key: each room's are sent once. `shared`: arguments for all. `keys_of`: the
        partition's keys, which come first."""
        calls: list[Call] = []
        for partition, indices in self._by_partition.items():
            keys: list[bytes | str] = [key_of(partition) for key_of in keys_of]
            places: dict[int, int] = {}
            asked: list[dict[str, Any]] = []
            for index in indices:
                request = self._requests[index]
                place = places.get(request.room_id)
                if place is None:
                    place = places[request.room_id] = len(keys) + 1  # Lua counts from 1
                    keys += request.all_keys()
                asked.append(arguments_of(request) | {"keys": place})
            calls.append((keys, (msgspec.msgpack.encode(asked), *shared)))
        return calls

    def answers(self, runs: Sequence[Any]) -> list[Any]:
        """Returns the answer to each request, from the answers of the runs. The error of a run answers all of its
        requests."""
        answers: list[Any] = [None] * len(self._requests)
        for indices, run in zip(self._by_partition.values(), runs, strict=True):
            for place, index in enumerate(indices):
                answers[index] = run if isinstance(run, Exception) else run[place]
        return answers
