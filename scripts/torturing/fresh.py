"""A room as somebody sees it who comes only now: by its history, page for page, and by a stream from the past."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from torturing.client import EventStream, request
from torturing.world import World

Found = list[tuple[str, tuple[int, str]]]

STREAMED = 5_000
"""Messages that the stream is read back; from more than 10,000 behind it may answer with a reset."""

SILENCE_SECONDS = 4.0


async def read_afresh(world: World, room: int) -> dict[str, Found]:
    """What each way shows, oldest first: `history` all of it, `stream` the newest."""
    history = await _read_history(world, room)
    start = "0" if len(history) <= STREAMED else history[-STREAMED - 1][0]
    return {"history": history, "stream": await _read_stream(world, room, start)}


async def _read_history(world: World, room: int) -> Found:
    port, headers = world.chat_links[room % 2].port, world.people[0].headers
    found: Found = []
    path = f"/rooms/{room}/messages?limit=200"
    while True:
        answer = await request(port, "GET", path, headers=headers, seconds=30)
        if answer.status != 200:
            raise RuntimeError(f"GET {path}: {answer.status}")
        page = answer.json()
        found = [_named(message) for message in page["messages"]] + found
        if not page["has_more"]:
            return found
        path = f"/rooms/{room}/messages?limit=200&before={page['messages'][0]['id']}"


async def _read_stream(world: World, room: int, start: str) -> Found:
    """Until nothing more comes."""
    found: Found = []
    port, headers = world.chat_links[room % 2].port, world.people[0].headers
    stream = await EventStream.open(port, f"/chat/stream?room={room}&after={start}", headers)
    try:
        while True:
            async with asyncio.timeout(SILENCE_SECONDS):
                block = await stream.block()
            if block.data and not block.event:
                found.append(_named(json.loads(block.data)))
    except (EOFError, OSError, TimeoutError):
        return found
    finally:
        stream.close()


def _named(message: dict[str, Any]) -> tuple[str, tuple[int, str]]:
    return message["id"], (message["user_id"], message["client_id"])
