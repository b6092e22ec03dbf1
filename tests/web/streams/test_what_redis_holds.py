"""Whatever the chat writes to Redis has an end: it expires, or somebody is bound to take it out."""

from __future__ import annotations

import re

import pytest

from chatserver.log.keys import due_key
from tests.conftest import World
from tests.helpers.browserless import Visitor

pytestmark = pytest.mark.gen_test(timeout=60)

TAKEN_OUT = [
    r"\{chat\d+\}:(pending|due)",  # what is in them is settled, swept and trimmed; an empty set is no key
    r"\{chat\d+\}:present:(processes|state)",  # of a fixed number; a process goes with its lease
    r"\{chat\d+\}:present:by:\w+",  # with the lease
    r"\{chat\d+\}:room:\d+:present",  # likewise
]
"""Keys that do not expire, other than those of a room's log, and what ends them."""

OF_A_LOG = r"\{chat\d+\}:room:(\d+):(log|names|branch)"
"""Taken out together by when the room is due."""


async def test_every_key_has_an_end(ada: Visitor, room: int, world: World) -> None:
    with world.redis_client() as redis:
        redis.flushall()
        streams = [await ada.stream(room), await ada.stream(room, await ada.make_room(), here=[room])]
        said = await ada.say(room, "hello", client_id="mine")
        await ada.say(room, "hello", client_id="mine")
        await ada.edit(room, said["id"], "hello again")
        await ada.fetch("PUT", f"/rooms/{room}/messages/{said['id']}/reactions/👍", body=b"")
        await ada.fetch("POST", f"/rooms/{room}/typing", body=b"")
        await ada.fetch("PUT", f"/rooms/{room}/read", json_body={"id": said["id"]})
        await ada.get("/search?q=hello")
        await ada.fetch("DELETE", f"/rooms/{room}/messages/{said['id']}")
        await streams[0].signal("presence")
        await ada.fetch("DELETE", f"/rooms/{await ada.make_room()}")
        await ada.fetch("POST", "/sign-in", json_body={"name": ada.name, "password": "wrong wrong"})
        without_end = []
        for key in redis.keys("*"):
            name = key.decode()
            of_a_log = re.fullmatch(OF_A_LOG, name)
            if of_a_log:
                assert redis.zscore(due_key(int(of_a_log[1])), of_a_log[1]) is not None, name
            elif redis.ttl(key) < 0 and not any(re.fullmatch(each, name) for each in TAKEN_OUT):
                without_end.append(name)
        assert without_end == []
        assert redis.keys("*:log")
        assert redis.keys("*:present")
