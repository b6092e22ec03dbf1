"""Many requests that a script of the logs serves in one run for each partition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from chatserver.log.keys import PARTITIONS, pending_key
from chatserver.support.redis_scripts import Call


class Request(Protocol):
    """One of many that a script serves in one run: the keys it is about, all of the room's partition."""

    @property
    def room_id(self) -> int: ...

    def all_keys(self) -> Sequence[bytes | str]: ...


R = TypeVar("R", bound=Request)


class Batch(Generic[R]):
    """Requests that a script serves with one run for each partition, and the way of the answers back to them."""

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
        """`arguments_of`: a request as the script reads it. `shared`: arguments that go for all.
        `keys_of`: the keys of a partition that stand in front of those of its rooms."""
        calls: list[Call] = []
        for partition, indices in self._by_partition.items():
            requests = [self._requests[index] for index in indices]
            keys = [
                *(key_of(partition) for key_of in keys_of),
                *(key for request in requests for key in request.all_keys()),
            ]
            calls.append((keys, (msgspec.msgpack.encode([arguments_of(request) for request in requests]), *shared)))
        return calls

    def answers(self, runs: Sequence[Any]) -> list[Any]:
        """The answer to each request, from those of the runs. A run that failed answers all of its own."""
        answers: list[Any] = [None] * len(self._requests)
        for indices, run in zip(self._by_partition.values(), runs, strict=True):
            for place, index in enumerate(indices):
                answers[index] = run if isinstance(run, Exception) else run[place]
        return answers
