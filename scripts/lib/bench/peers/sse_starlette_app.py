"""sse-starlette on uvicorn, with a queue for each reader. `python -m bench.peers.sse_starlette_app PORT`"""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections import defaultdict
from collections.abc import AsyncIterator

import uvicorn
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def application() -> Starlette:
    rooms: defaultdict[str, set[asyncio.Queue[ServerSentEvent]]] = defaultdict(set)
    numbers = itertools.count(1)

    async def subscribe(request: Request) -> Response:
        queue: asyncio.Queue[ServerSentEvent] = asyncio.Queue(1_000)
        readers = rooms[request.path_params["room"]]
        readers.add(queue)

        async def events() -> AsyncIterator[ServerSentEvent]:
            try:
                while True:
                    yield await queue.get()
            finally:
                readers.discard(queue)

        return EventSourceResponse(events())

    async def publish(request: Request) -> Response:
        data = (await request.body()).decode()
        event = ServerSentEvent(data, id=f"{next(numbers):015d}-0", sep="\n")
        for queue in rooms[request.path_params["room"]]:
            queue.put_nowait(event)
        return Response(status_code=204)

    return Starlette(
        routes=[Route("/sub/{room}", subscribe), Route("/pub/{room}", publish, methods=["POST"])],
    )


if __name__ == "__main__":
    uvicorn.run(
        application(),
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        backlog=4096,
        access_log=False,
        log_level="warning",
    )
