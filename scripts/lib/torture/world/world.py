"""A private world: three mongod, a pair of Redis without persistence, two chat processes, and a proxy on every link.

posters, readers ──> proxy ──> chat a ──> proxy ──> the Redis that is master
      │          └─> proxy ──> chat b ──> proxy ──┘
      └──> nginx ──> both      both   ──> proxy ──> mongod 1, 2, 3 (which reach each other through them, too)
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Any

import pymongo

from common.http_client import Person, request, sign_up
from common.nginx import Nginx, find_program
from common.paths import PROGRAMS, ROOT
from common.server_process import chat_environment
from common.waiting import until
from desk import programs
from torture.world.clock import Clock
from torture.world.doors import Door
from torture.world.nginx import in_front_of
from torture.world.proxy import Proxy
from torture.world.redis_pair import RedisPair
from torture.world.servers import ChatProcess, MongoMember

READY_SECONDS = 60.0


class World:
    """`source`: the folder of the chat under torture. It is copied at the start, so edits do not leak in."""

    def __init__(self, source: Path = ROOT) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="torture-"))
        self._source = self.folder / "source"
        for part in ("chatserver", "templates", "static"):
            shutil.copytree(source / part, self._source / part, ignore=shutil.ignore_patterns("__pycache__"))
        mongod = programs.find(programs.MONGOD, PROGRAMS)
        redis_server = programs.find(programs.REDIS, PROGRAMS)
        self.members = [MongoMember(mongod, self.folder / f"mongod-{number}") for number in (1, 2, 3)]
        self.redis = RedisPair(redis_server, self.folder)
        self.chats: list[ChatProcess] = []
        self.mongo_links: list[Proxy] = []
        self.chat_links: list[Proxy] = []
        self.nginx: Nginx | None = None
        self.people: list[Person] = []
        self.rooms: list[int] = []

    @property
    def doors(self) -> list[Door]:
        """Where clients may knock."""
        doors = [Door(link.name, link.port) for link in self.chat_links]
        return [*doors, Door("nginx", self.nginx.port, len(self.chats))] if self.nginx is not None else doors

    @property
    def mongodb_uri(self) -> str:
        return f"mongodb://{','.join(f'127.0.0.1:{link.port}' for link in self.mongo_links)}/harbour?replicaSet=rs0"

    async def start(self, people: int, rooms: int) -> None:
        await asyncio.gather(self.redis.start(), *(asyncio.to_thread(member.start) for member in self.members))
        self.mongo_links = [Proxy(f"mongo-{n}", member.port) for n, member in enumerate(self.members, 1)]
        for link in self.mongo_links:
            await link.start()
        await self._found_replica_set()
        await self._start_chats()
        port = self.chats[0].port
        self.people = [await sign_up(port, f"person {number}") for number in range(people)]
        for number in range(rooms):
            made = await request(
                port, "POST", "/rooms", headers=self.people[0].headers, body={"name": f"room {number}"}
            )
            self.rooms.append(made.json()["id"])

    async def _start_chats(self) -> None:
        secret = secrets.token_hex()
        for name, link in zip("ab", self.redis.links, strict=True):
            redis_url = f"redis://127.0.0.1:{link.port}/0"
            environment = chat_environment(self.mongodb_uri, redis_url, secret, drain_seconds=3)
            clock = Clock(self.folder / f"chat-{name}-clock")
            chat = ChatProcess(name, self._source, self.folder / f"chat-{name}.log", environment, clock)
            self.chats.append(chat)
            chat.keep_running()
            self.chat_links.append(Proxy(f"chat-{name}", chat.port, narrow=True))
            await self.chat_links[-1].start()
        if not await self.ready():
            raise TimeoutError(f"the chats did not become ready; their logs are in {self.folder}")
        if (program := find_program()) is not None:
            self.nginx = in_front_of(self.chat_links, program, self.folder / "nginx")
            await asyncio.to_thread(self.nginx.start)

    async def ready(self) -> bool:
        """Returns when all chats say that they are. False: they never did."""
        return all([await until(chat.answers, READY_SECONDS) for chat in self.chats])

    async def heal(self) -> bool:
        """Everything runs and every link passes. Returns whether the chats became ready."""
        for link in (*self.mongo_links, *self.redis.links, *self.chat_links):
            link.heal()
        for member in self.members:
            member.resume()
            if not await asyncio.to_thread(member.answers):
                await asyncio.to_thread(member.kill)
                await asyncio.to_thread(member.start)
        await self.redis.heal()
        for chat in self.chats:
            chat.clock.set(0)
            chat.send(signal.SIGCONT)
            chat.let_up()
        return await self.ready()

    async def stop(self, *, keep: bool) -> None:
        await asyncio.gather(*(chat.end() for chat in self.chats))
        for link in (*self.mongo_links, *self.chat_links):
            await link.stop()
        await self.redis.stop()
        for server in (*self.members, *([self.nginx] if self.nginx is not None else [])):
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.stop)
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    async def primary(self) -> MongoMember | None:
        for member in self.members:
            if await asyncio.to_thread(member.is_primary):
                return member
        return None

    async def primary_link(self) -> Proxy | None:
        primary = await self.primary()
        return None if primary is None else self.mongo_links[self.members.index(primary)]

    def mongo_client(self) -> pymongo.MongoClient[dict[str, Any]]:
        return pymongo.MongoClient(self.mongodb_uri, readConcernLevel="majority", serverSelectionTimeoutMS=20_000)

    async def _found_replica_set(self) -> None:
        config = {
            "_id": "rs0",
            "members": [{"_id": n, "host": f"127.0.0.1:{link.port}"} for n, link in enumerate(self.mongo_links)],
            "settings": {"electionTimeoutMillis": 3_000, "heartbeatIntervalMillis": 500},
        }
        await asyncio.to_thread(self.members[0].ask, "replSetInitiate", config)
        if not await until(self._has_primary, READY_SECONDS):
            raise TimeoutError("no member of the replica set became primary")

    async def _has_primary(self) -> bool:
        return await self.primary() is not None
