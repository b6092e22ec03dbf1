"""A bare Tornado handler that parses a post and sends it back. `python -m bench.peers.tornado_echo PORT`"""

from __future__ import annotations

import asyncio
import sys

from tornado.escape import json_decode
from tornado.web import Application, RequestHandler


class Echo(RequestHandler):
    def post(self, room: str) -> None:
        self.write(json_decode(self.request.body))


async def serve(port: int) -> None:
    Application([(r"/pub/(\w+)", Echo)], log_function=lambda handler: None).listen(port, "127.0.0.1", backlog=4096)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
