"""Scripts in Redis, and the connection that runs them: all waiting ones as one pipeline."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from redis.asyncio.connection import Connection
from redis.exceptions import NoScriptError

from chatserver.errors import Unavailable
from chatserver.support.redis_client import connect, redis_errors_as_unavailable, take_connection

Call = tuple[Sequence[Any], Sequence[Any]]
"""The keys and the arguments of one run of a script."""


class Script(NamedTuple):
    text: str
    sha: str

    @classmethod
    def load(cls, module_file: str, name: str) -> Script:
        """Reads the script `name` from the folder of the module whose `__file__` is given."""
        text = Path(module_file).with_name(name).read_text(encoding="utf-8")
        return cls(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


class ScriptRunner:
    """Every method raises Unavailable when Redis does not answer. An error of one run is its own answer."""

    def __init__(self, url: str, scripts: Sequence[Script]) -> None:
        self._scripts = scripts
        self._client = connect(url, connections=1, on_connect=self._on_connect)
        # The run id of the server that changes are sent to. Another server may have another past.
        self._server = b""

    async def _on_connect(self, connection: Connection) -> None:
        for script in self._scripts:
            await connection.send_command("SCRIPT", "LOAD", script.text)
            await connection.read_response()
        await connection.send_command("INFO", "server")
        self._server = _run_id(await connection.read_response())

    async def run(self, script: Script, make_calls: Callable[[bytes], Sequence[Call]]) -> list[Any]:
        """Runs a script for each call in one round trip, and returns the answers.

        `make_calls` is called when the connection is established, with the run id of the server.
        """
        with redis_errors_as_unavailable():
            async with self._client.pipeline(transaction=False) as pipeline:
                pipeline.connection = await take_connection(self._client)
                for keys, arguments in make_calls(self._server):
                    pipeline.evalsha(script.sha, len(keys), *keys, *arguments)
                answers: list[Any] = await pipeline.execute(raise_on_error=False)
            if any(isinstance(answer, NoScriptError) for answer in answers):
                # The scripts were flushed: the next connection loads them again.
                await self._client.connection_pool.disconnect()
        return answers

    async def close(self) -> None:
        await self._client.aclose(close_connection_pool=True)


def parse_answer(answer: Any, outcome: Callable[[Any], Any]) -> Any:
    """Returns the outcome of a script's answer; for an error, the Unavailable to raise."""
    if not isinstance(answer, Exception):
        return outcome(answer)
    unavailable = Unavailable(because="the log is not available", retry_after=2)
    unavailable.__cause__ = answer
    return unavailable


def _run_id(info: bytes) -> bytes:
    """Returns the run id from the answer to INFO: it names one run of one server. Empty if a proxy hides it."""
    lines = dict(line.partition(b":")[::2] for line in info.splitlines())
    return lines.get(b"run_id", b"")
