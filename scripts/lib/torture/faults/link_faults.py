"""What can happen to the network: each kind on each link, of clients to a chat, and of the chats to their servers."""

from __future__ import annotations

import asyncio
from typing import get_args

from torture.faults.dice import Break, Dice
from torture.people.journal import Fault
from torture.world.proxy import Mode, Proxy
from torture.world.world import World

PARTS = ("chat", "redis", "mongo")


def _on_link(part: str, mode: Mode) -> Break:
    async def spoil(world: World, dice: Dice, fault: Fault) -> None:
        link = await _pick(world, dice, part)
        seconds = dice.seconds(0.0, 0.5, 3.0, 9.0) if mode == "cut" else dice.seconds(0.5, 3.0, 9.0)
        delay = dice.choice([0.02, 0.2, 1.0]) if mode == "delay" else 0.0
        end_all = mode == "half-open" and dice.random() < 0.5
        fault.what = f"{link.name} for {seconds} s" + (f", by {delay} s" if delay else "")
        try:
            link.misbehave(mode, delay)
            await asyncio.sleep(seconds)
        finally:
            if end_all:
                link.drop_all()
            link.heal()

    return spoil


async def _pick(world: World, dice: Dice, part: str) -> Proxy:
    links = {"chat": world.chat_links, "redis": world.redis.links, "mongo": world.mongo_links}[part]
    link, mostly_the_primary = dice.choice(links), dice.random() < 0.7
    if part == "mongo" and mostly_the_primary:
        return await world.primary_link() or link
    return link


LINK_FAULTS: dict[str, Break] = {
    f"{part}-{mode}": _on_link(part, mode) for part in PARTS for mode in get_args(Mode) if mode != "pass"
}
