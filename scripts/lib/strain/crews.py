"""Parts of a case that need a process of their own."""

from __future__ import annotations

import asyncio
import os
import sys

import msgspec

from common.paths import LIB, ROOT


async def run_module(name: str, orders: msgspec.Struct) -> asyncio.subprocess.Process:
    """Runs a module of ours with its orders as its argument; what it says can be read."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", name, msgspec.json.encode(orders).decode()),
        stdout=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{LIB}:{ROOT}"},
    )
