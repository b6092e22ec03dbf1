"""What can happen to a chat process."""

from __future__ import annotations

import asyncio
import signal

from torture.faults.dice import Break, Dice
from torture.people.journal import Fault
from torture.world.world import World

HOUR = 3_600


async def chat_kill(world: World, dice: Dice, fault: Fault) -> None:
    await _end_chat(world, dice, fault, signal.SIGKILL)


async def chat_term(world: World, dice: Dice, fault: Fault) -> None:
    await _end_chat(world, dice, fault, signal.SIGTERM)


async def _end_chat(world: World, dice: Dice, fault: Fault, number: signal.Signals) -> None:
    chat, seconds = dice.choice(world.chats), dice.seconds(0.0, 0.5, 4.0)
    fault.what = f"{number.name} of chat {chat.name}, back after {seconds} s"
    chat.hold_down()
    try:
        chat.send(number)
        await chat.ended()
        await asyncio.sleep(seconds)
    finally:
        chat.let_up()


async def chat_hang(world: World, dice: Dice, fault: Fault) -> None:
    chat, seconds = dice.choice(world.chats), dice.seconds(1.0, 3.0, 8.0, 20.0)
    fault.what = f"SIGSTOP of chat {chat.name} for {seconds} s"
    try:
        chat.send(signal.SIGSTOP)
        await asyncio.sleep(seconds)
    finally:
        chat.send(signal.SIGCONT)


async def chat_clock(world: World, dice: Dice, fault: Fault) -> None:
    chat, shift, seconds = dice.choice(world.chats), dice.choice([-HOUR, HOUR]), dice.seconds(3.0, 10.0, 30.0)
    fault.what = f"the clock of chat {chat.name} {shift:+d} s for {seconds} s"
    try:
        chat.clock.set(shift)
        await asyncio.sleep(seconds)
    finally:
        chat.clock.set(0)


async def chat_parts(world: World, dice: Dice, fault: Fault) -> None:
    """Relay, wake-ups, sweep and the others raise what nobody expected, one after another."""
    chat, times, pause = dice.choice(world.chats), dice.choice([1, 8, 30]), dice.choice([0.01, 0.1, 0.5])
    fault.what = f"{times} failures of background parts of chat {chat.name}, every {pause} s"
    for _ in range(times):
        chat.send(signal.SIGUSR2)
        await asyncio.sleep(pause)


CHAT_FAULTS: dict[str, Break] = {
    "chat-kill": chat_kill,
    "chat-term": chat_term,
    "chat-hang": chat_hang,
    "chat-clock": chat_clock,
    "chat-parts": chat_parts,
}
