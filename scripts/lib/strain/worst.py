"""One user who wants to be in the way of all the others: 50 connections, each with one verb at its dearest, as fast as
it is answered. No refusal makes it wait.

Run with a JSON object as its argument (see `Orders`). Says at the end, as JSON, how often each verb got which status.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from collections import Counter
from collections.abc import Callable
from urllib.parse import quote

import msgspec

from common.http_client import read_head, request_head

LOOKALIKE = "\u200d".join("©" * 28) + "x"
MENTIONS = ("*" + " @ﷺﷺﷺ" * 500)[:2000]
HOSTS = "*" + "WWW." * 498 + "xn--"
CODE = "```python\n" + "@" * 1900 + "\n```"
WIDE = "@writer " * 240
RUNS = "天地玄黄宇宙洪荒日月盈昃"
TEXTS = (LOOKALIKE, MENTIONS, HOSTS, CODE, WIDE, "> " * 900 + "x", RUNS[::2] * 100, "a" * 2000)

SIGNED_OUT = ("/sign-in", "/sign-up")


class Orders(msgspec.Struct):
    port: int
    room: int
    message: str
    """One of the user's own, to be edited and reacted to."""
    headers: dict[str, str]
    seconds: float
    connections: int = 50
    only: list[str] = []
    """Of the verbs; all if none is named."""


Request = tuple[str, str, object]
"""Method, path and body."""


def verbs(orders: Orders) -> dict[str, Callable[[int], Request]]:
    """What is asked at the nth time."""
    room, message = f"/rooms/{orders.room}", f"/rooms/{orders.room}/messages/{orders.message}"

    def text(number: int) -> str:
        return f"{TEXTS[number % len(TEXTS)][:1990]}{number % 1000}"

    return {
        "message": lambda n: ("POST", "/messages", {"room_id": orders.room, "content": text(n)}),
        "edit": lambda n: ("PATCH", message, {"content": text(n)}),
        "reaction": lambda n: ("DELETE" if n % 2 else "PUT", f"{message}/reactions/{quote('👍')}", None),
        "typing": lambda _: ("POST", f"{room}/typing", None),
        "search": lambda n: ("GET", f"/search?q={quote(RUNS[n % 9 : n % 9 + 4])}&from=writer", None),
        "room": lambda _: ("POST", "/rooms", {"name": secrets.token_hex(16)}),
        "read": lambda n: ("PUT", f"{room}/read", {"id": f"{1_000_000 + n}-0"}),
        "page": lambda _: ("GET", f"{room}/messages?limit=200", None),
        "room page": lambda _: ("GET", f"/chat/{orders.room}", None),
        "rooms": lambda _: ("GET", "/rooms", None),
        "presence": lambda _: ("GET", f"{room}/presence", None),
        "sign-in": lambda _: ("POST", "/sign-in", {"name": "writer", "password": secrets.token_hex(8)}),
        "sign-up": lambda _: ("POST", "/sign-up", {"name": secrets.token_hex(8), "password": secrets.token_hex(8)}),
        "stream": lambda n: ("GET", f"/chat/stream?room={orders.room}&after=0&n={n}", None),
        "csrf": lambda _: ("GET", "/csrf", None),
        "not JSON": lambda _: ("POST", "/messages", "[" * 30_000),
    }


async def harass(orders: Orders, verb: str, make: Callable[[int], Request], until: float, seen: Counter[str]) -> None:
    """One connection after the other, one request after the other."""
    number = 0
    while time.monotonic() < until:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", orders.port, limit=2**26)
        except OSError:
            await asyncio.sleep(0.01)
            continue
        try:
            while time.monotonic() < until:
                number += 1
                seen[f"{verb}: {await ask(orders, reader, writer, make(number), until)}"] += 1
        except (OSError, EOFError, ValueError, TimeoutError):
            seen[f"{verb}: cut off"] += 1
        finally:
            writer.transport.abort()


async def ask(
    orders: Orders, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: Request, until: float
) -> str:
    """Returns the status. A stream is read as long as it lasts, and ends with the connection."""
    method, path, body = request
    content = b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    who = {} if path in SIGNED_OUT else orders.headers  # else they would end the session
    headers = who | {"Host": f"127.0.0.1:{orders.port}", "Content-Length": str(len(content))}
    if body is not None:
        headers["Content-Type"] = "application/json"
    writer.write(request_head(method, path, headers) + content)
    async with asyncio.timeout(max(0.1, until - time.monotonic())):
        status, received = await read_head(reader)
        if "content-length" in received:
            await reader.readexactly(int(received["content-length"]))
        elif received.get("transfer-encoding") == "chunked":
            while await reader.read(65_536):
                pass
            raise EOFError("the stream ended")
    return str(status)


async def main() -> None:
    orders = msgspec.json.decode(sys.argv[1], type=Orders)
    until = time.monotonic() + orders.seconds
    seen: Counter[str] = Counter()
    each = [(verb, make) for verb, make in verbs(orders).items() if not orders.only or verb in orders.only]
    await asyncio.gather(
        *(harass(orders, *each[number % len(each)], until, seen) for number in range(orders.connections))
    )
    print(json.dumps(seen))


if __name__ == "__main__":
    asyncio.run(main())
