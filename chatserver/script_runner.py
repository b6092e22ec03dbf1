"""The connection through which the logs are changed: runs scripts in Redis, all that is waiting as one pipeline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from redis.asyncio.connection import Connection
from redis.exceptions import NoScriptError

from chatserver.errors import Unavailable
from chatserver.log_scripts import PARTITIONS, Script, pending_key
from chatserver.redis_link import connect, reaching_redis, take_connection

Call = tuple[Sequence[Any], Sequence[Any]]
"""The keys and the arguments of one run of a script."""


class Request(Protocol):
    """One of many that a script serves in one run: the keys it is about, all of the room's partition."""

    @property
    def room_id(self) -> int: ...

    def touched(self) -> Sequence[bytes | str]: ...


Asked = TypeVar("Asked", bound=Request)


class ScriptRunner:
    """Everything raises Unavailable when Redis does not answer. An error of one run is its own answer."""

    def __init__(self, url: str, scripts: Sequence[Script]) -> None:
        self._scripts = scripts
        self._client = connect(url, connections=1, on_connect=self._on_connect)
        # The run id of the server that changes are sent to. Another one may have another past.
        self._server = b""

    async def _on_connect(self, connection: Connection) -> None:
        for script in self._scripts:
            await connection.send_command("SCRIPT", "LOAD", script.text)
            await connection.read_response()
        await connection.send_command("INFO", "server")
        self._server = _run_id(await connection.read_response())

    async def run(self, script: Script, make_calls: Callable[[bytes], Sequence[Call]]) -> list[Any]:
        """Runs a script for each call in one round trip.

        The calls are made when the connection stands, and told the run id of the server behind it.
        """
        with reaching_redis():
            async with self._client.pipeline(transaction=False) as pipeline:
                pipeline.connection = await take_connection(self._client)
                for keys, arguments in make_calls(self._server):
                    pipeline.evalsha(script.sha, len(keys), *keys, *arguments)
                answers: list[Any] = await pipeline.execute(raise_on_error=False)
            if any(isinstance(answer, NoScriptError) for answer in answers):
                # Somebody flushed the scripts: the next connection brings them along.
                await self._client.connection_pool.disconnect()
        return answers

    async def close(self) -> None:
        await self._client.aclose(close_connection_pool=True)


class Batch(Generic[Asked]):
    """Requests that a script serves with one run for each partition, and the way of the answers back to them."""

    def __init__(self, requests: Sequence[Asked]) -> None:
        self._requests = requests
        self._by_partition: dict[int, list[int]] = {}
        for index, request in enumerate(requests):
            self._by_partition.setdefault(request.room_id % PARTITIONS, []).append(index)

    def calls(
        self,
        words: Callable[[Asked], dict[str, Any]],
        *arguments: Any,
        keys_of: Sequence[Callable[[int], str]] = (pending_key,),
    ) -> list[Call]:
        """`words`: a request as the script wants to read it. `arguments`: what goes for all. `keys_of`: the keys of a
        partition that stand in front of those of its rooms."""
        calls: list[Call] = []
        for partition, indices in self._by_partition.items():
            requests = [self._requests[index] for index in indices]
            keys = [
                *(key_of(partition) for key_of in keys_of),
                *(key for request in requests for key in request.touched()),
            ]
            calls.append((keys, (msgspec.msgpack.encode([words(request) for request in requests]), *arguments)))
        return calls

    def answers(self, runs: Sequence[Any]) -> list[Any]:
        """The answer to each request, from those of the runs. A run that failed answers all of its own."""
        answers: list[Any] = [None] * len(self._requests)
        for indices, run in zip(self._by_partition.values(), runs, strict=True):
            for place, index in enumerate(indices):
                answers[index] = run if isinstance(run, Exception) else run[place]
        return answers


def read(answer: Any, outcome: Callable[[Any], Any]) -> Any:
    """What a script's answer means; for an error, what to raise."""
    if not isinstance(answer, Exception):
        return outcome(answer)
    unavailable = Unavailable("the log is not available right now, try again", retry_after=2)
    unavailable.__cause__ = answer
    return unavailable


def _run_id(info: bytes) -> bytes:
    """From the answer to INFO: names one run of one server. Empty where a proxy keeps it to itself."""
    lines = dict(line.partition(b":")[::2] for line in info.splitlines())
    return lines.get(b"run_id", b"")
