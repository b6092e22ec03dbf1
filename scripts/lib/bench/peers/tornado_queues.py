"""A plain Tornado handler with a queue for each reader. `python -m bench.peers.tornado_queues PORT`"""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict

from tornado.iostream import StreamClosedError
from tornado.web import Application, RequestHandler

Rooms = defaultdict[str, set[asyncio.Queue[bytes]]]


class Subscribe(RequestHandler):
    async def get(self, room: str) -> None:
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-cache")
        queue: asyncio.Queue[bytes] = asyncio.Queue(1_000)
        rooms: Rooms = self.application.settings["rooms"]
        rooms[room].add(queue)
        try:
            await self.flush()
            while True:
                self.write(await queue.get())
                await self.flush()
        except StreamClosedError:
            pass
        finally:
            rooms[room].discard(queue)


class Publish(RequestHandler):
    def post(self, room: str) -> None:
        self.application.settings["count"] += 1
        frame = b"id: %015d-0\ndata: %b\n\n" % (self.application.settings["count"], self.request.body)
        for queue in self.application.settings["rooms"][room]:
            queue.put_nowait(frame)
        self.set_status(204)


async def serve(port: int) -> None:
    rooms: Rooms = defaultdict(set)
    routes = [(r"/sub/(\w+)", Subscribe), (r"/pub/(\w+)", Publish)]
    application = Application(routes, rooms=rooms, count=0, log_function=lambda handler: None)
    application.listen(port, "127.0.0.1", backlog=4096)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
