"""Redis as it is run for real, but for persistence: a master, a replica, a Sentinel that changes them over.

    chat ──> link ──> whoever is master        (as HAProxy would: the watcher asks the Sentinel where to point it)
    replica, Sentinel ──> the node's back door ──> node

Each node announces its back door, so that replication can be held up while the chats write on: what a master was told
since then is lost with it. A node that was away comes back as the replica of whoever is master by then.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from common.private_server import PrivateServer
from common.waiting import until
from desk.embedded import RedisServer
from torture.world.clock import Clock
from torture.world.proxy import Proxy

NAME = "chat"
DOWN_AFTER_MS = 1_500
FAILOVER_SECONDS = 30.0


class RedisNode(RedisServer):
    def __init__(self, program: Path, folder: Path, clock: Clock) -> None:
        # Through `env`, which becomes the server: a PrivateServer is started with the environment of its parent.
        super().__init__(Path("/usr/bin/env"), folder, persistent=False)
        self._server = program
        self.clock = clock
        self.back_door = Proxy(f"{folder.name}'s back door", 0)
        self.master: RedisNode | None = None
        """Whom it follows when it starts."""

    def arguments(self) -> Sequence[str]:
        arguments = [
            *(f"{name}={value}" for name, value in self.clock.environment(redis=True).items()),
            *(str(self._server), *super().arguments()),
            *("--replica-announce-ip", "127.0.0.1", "--replica-announce-port", str(self.back_door.port)),
            *("--repl-diskless-sync-delay", "0", "--repl-timeout", "10", "--repl-ping-replica-period", "1"),
        ]
        if self.master is not None:
            arguments += ["--replicaof", "127.0.0.1", str(self.master.back_door.port)]
        return arguments

    def client(self) -> Redis:
        """Straight to it, past all proxies."""
        return Redis(port=self.port, socket_timeout=3.0, socket_connect_timeout=1.0, protocol=2)

    async def info(self) -> dict[str, object]:
        """Its view of the replication; empty when it does not answer."""
        try:
            async with self.client() as client:
                return dict(await client.info("replication"))
        except (RedisError, OSError):
            return {}


class Sentinel(PrivateServer):
    name = "sentinel"

    def __init__(self, program: Path, folder: Path, master: RedisNode) -> None:
        super().__init__(program, folder)
        self._master = master

    def arguments(self) -> Sequence[str]:
        config = self.folder / "sentinel.conf"
        config.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {self.folder}\n"
            f"sentinel monitor {NAME} 127.0.0.1 {self._master.back_door.port} 1\n"
            f"sentinel down-after-milliseconds {NAME} {DOWN_AFTER_MS}\n"
            f"sentinel failover-timeout {NAME} 3000\n"
        )
        return [str(config), "--sentinel"]

    answers = RedisServer.answers

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> Redis:
        return Redis(port=self.port, socket_timeout=3.0, socket_connect_timeout=1.0, protocol=2)


class RedisPair:
    """`links`: the way of each chat to the master."""

    def __init__(self, program: Path, folder: Path) -> None:
        self.nodes = [RedisNode(program, folder / f"redis-{n}", Clock(folder / f"redis-{n}-clock")) for n in (1, 2)]
        self.master = self.nodes[0]
        """As the Sentinel has it."""
        self.sentinel = Sentinel(program, folder / "sentinel", self.master)
        self.links = [Proxy(f"redis-{name}", 0) for name in "ab"]
        self.failovers = 0
        self._watcher: asyncio.Task[None] | None = None

    @property
    def replica(self) -> RedisNode:
        return self.nodes[1] if self.master is self.nodes[0] else self.nodes[0]

    async def start(self) -> None:
        first, second = self.nodes
        for node in self.nodes:
            await node.back_door.start()
        await asyncio.to_thread(first.start)
        first.back_door.target = first.port
        second.master = first
        await asyncio.to_thread(second.start)
        second.back_door.target = second.port
        await asyncio.to_thread(self.sentinel.start)
        for link in self.links:
            link.target = first.port
            await link.start()
        await self.whole()
        self._watcher = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
        for link in (*self.links, *(node.back_door for node in self.nodes)):
            await link.stop()
        for server in (self.sentinel, *self.nodes):
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.stop)

    async def restart(self, node: RedisNode) -> None:
        """After a kill: with nothing, as the replica of the other if that is master by now."""
        node.master = None if node is self.master else self.master
        await asyncio.to_thread(node.start)

    async def rejoin(self, node: RedisNode) -> None:
        """One that was away, but not killed, follows whoever is master now. (Sentinel sees to it, in its time.)

        Not before the other knows that it is: two that follow each other would wait for the Sentinel to part them.
        """
        other = self.nodes[1] if node is self.nodes[0] else self.nodes[0]
        if other is self.master and (await other.info()).get("role") == "master":
            with contextlib.suppress(RedisError, OSError):
                async with node.client() as client:
                    port = self.master.back_door.port
                    await client.execute_command("REPLICAOF", "127.0.0.1", port)  # type: ignore[no-untyped-call]  # it has no types

    async def changed_over(self, old: RedisNode) -> bool:
        """Returns when another node is master. False if the Sentinel found none."""
        return await until(lambda: self.master is not old, FAILOVER_SECONDS)

    async def whole(self) -> bool:
        """Returns when there are a master and a replica that follows it, and the Sentinel knows both."""
        return await until(self._is_whole, FAILOVER_SECONDS)

    async def heal(self) -> None:
        for node in self.nodes:
            node.clock.set(0)
            node.resume()
            node.back_door.heal()
            if not await asyncio.to_thread(node.answers):
                await asyncio.to_thread(node.kill)
                await self.restart(node)
        await self.rejoin(self.replica)
        await self.whole()

    async def _is_whole(self) -> bool:
        master, replica = await self.master.info(), await self.replica.info()
        if master.get("role") != "master" or replica.get("master_link_status") != "up":
            return False
        try:
            async with self.sentinel.client() as client:
                replicas = await client.sentinel_slaves(NAME)
        except (RedisError, OSError):
            return False
        return any(each["port"] == self.replica.back_door.port and not each["is_disconnected"] for each in replicas)

    async def _watch(self) -> None:
        """Points the chats' links at whomever the Sentinel calls master; connections to the former one end."""
        by_port: dict[int, RedisNode] = {node.back_door.port: node for node in self.nodes}
        while True:
            await asyncio.sleep(0.1)
            try:
                async with self.sentinel.client() as client:
                    address: Any = await client.sentinel_get_master_addr_by_name(NAME)
            except (RedisError, OSError, TypeError):
                continue
            master = by_port[int(address[1])]
            if master is not self.master:
                self.failovers += 1
                self.master = master
                for link in self.links:
                    link.target = master.port
                    link.drop_all()
