"""A room as somebody sees it who comes only now: by its history, page for page, and by a stream from the past."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from common.event_ids import Place, place
from common.http_client import EventStream, request
from torture.people.fold import Fold
from torture.people.said import CHANGES, read_said
from torture.people.texts import Name, Texts, words_in
from torture.world.world import World

STREAMED = 5_000
"""Messages that the stream is read back; from more than 10,000 events behind it may answer with a reset."""

SILENCE_SECONDS = 4.0


@dataclass
class Way:
    """What one way shows. `found`: its messages in order. `words`: of all texts, and where; `quotes`: of what is
    quoted."""

    since: Place = (0, 0)
    found: list[tuple[str, Name]] = field(default_factory=list)
    fold: Fold = field(default_factory=Fold)
    words: dict[str, str] = field(default_factory=dict)
    quotes: set[str] = field(default_factory=set)

    def take(self, kind: str, data: dict[str, Any], texts: Texts) -> None:
        if kind == "message":
            self.found.append((data["id"], (data["user_id"], data["client_id"])))
        self.fold.take(read_said(kind, data, texts))
        own, quotes = words_in(data)
        self.words |= dict.fromkeys(own, f"{kind} {data['id']}")
        self.quotes |= quotes


async def read_afresh(world: World, room: int, texts: Texts) -> dict[str, Way]:
    """What each way shows: `history` all of it, `stream` all of it or the newest."""
    history = await _read_history(world, room, texts)
    start = "0" if len(history.found) <= STREAMED else history.found[-STREAMED - 1][0]
    return {"history": history, "stream": await _read_stream(world, room, start, texts)}


async def _read_history(world: World, room: int, texts: Texts) -> Way:
    port, headers = world.chat_links[room % 2].port, world.people[0].headers
    messages: list[dict[str, Any]] = []
    path = f"/rooms/{room}/messages?limit=200"
    while True:
        answer = await request(port, "GET", path, headers=headers, seconds=30)
        if answer.status != 200:
            raise RuntimeError(f"GET {path}: {answer.status}")
        page = answer.json()
        messages = page["messages"] + messages
        if not page["has_more"]:
            break
        path = f"/rooms/{room}/messages?limit=200&before={page['messages'][0]['id']}"
    way = Way()
    for message in messages:
        way.take("message", message, texts)
    return way


async def _read_stream(world: World, room: int, start: str, texts: Texts) -> Way:
    """Until no more events come."""
    way = Way(place(start))
    port, headers = world.chat_links[room % 2].port, world.people[0].headers
    stream = await EventStream.open(port, f"/chat/stream?room={room}&after={start}", headers)
    try:
        async with asyncio.timeout(SILENCE_SECONDS) as silence:
            while True:
                block = await stream.block()
                kind = block.event or "message"
                if block.data and kind in {"message", *CHANGES}:
                    way.take(kind, json.loads(block.data), texts)
                    silence.reschedule(asyncio.get_running_loop().time() + SILENCE_SECONDS)
    except (EOFError, OSError, TimeoutError):
        return way
    finally:
        stream.close()
