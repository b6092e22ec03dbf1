"""Talk for a first look: a few people and rooms, made through the same HTTP that everybody uses.

Every message has a client id of its own, so filling a second time adds nothing.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from common.http_client import Answer, Person, Refused, request, sign_in, sign_up

PASSWORD = "harbour-demo"
PEOPLE = ("Ada Lovelace", "Grace Hopper", "Katherine Johnson")

ADA, GRACE, KATHERINE = PEOPLE


class Line(NamedTuple):
    """`answers`: the number of the line that it replies to. `reactions`: who, by emoji."""

    author: str
    content: str
    answers: int | None = None
    reactions: dict[str, tuple[str, ...]] = {}  # noqa: RUF012 (nobody changes it)


TALK: dict[str, list[Line]] = {
    "General": [
        Line(GRACE, "Restarted both web processes while forty people were talking. Nobody noticed, nothing missing. 🎉", reactions={"👏": (ADA, KATHERINE), "🚢": (GRACE,)}),
        Line(GRACE, "The one-liner for the *curious*:\n```sh\ncurl -N -b jar -H 'Last-Event-ID: 1795452475863-0' \\\n  'http://127.0.0.1:8000/chat/stream?room=1'\n```"),
        Line(KATHERINE, "I pulled the plug of my laptop for ten minutes on purpose. It came back, filled the gap, kept my place.", answers=1),
        Line(KATHERINE, "Then I counted. **All of them, once, in order.**", reactions={"💯": (ADA, GRACE)}),
        Line(ADA, "Counting twice would have been the interesting case."),
        Line(GRACE, "@Ada Lovelace, shall we ship it today?"),
        Line(ADA, "Yes. I wrote the announcement last night and read it aloud to the cat, who had no objections.", answers=6, reactions={"🐈": (GRACE, KATHERINE)}),
        Line(ADA, "Sending it round now."),
        Line(ADA, "🎉🚢"),
        Line(KATHERINE, "Before you do: who is on call this weekend?"),
        Line(GRACE, "I am. Also the cat."),
    ],
    "Deploys": [
        Line(GRACE, "`0.1.0` is out on staging."),
        Line(KATHERINE, "Reconnects spread over twenty seconds, the highest second saw six percent of them."),
        Line(GRACE, "Then let it roll.", reactions={"🚀": (KATHERINE,)}),
    ],
    "Design": [
        Line(ADA, "The composer is never disabled any more. If the line is down, the message waits, pale, and goes out by itself."),
        Line(KATHERINE, "And it survives a reload, @Ada Lovelace?"),
        Line(ADA, "It survives a reload.", answers=2),
    ],
    "Incidents": [
        Line(GRACE, "14:02 Redis restarted empty.\n14:02 Posts waited.\n14:03 Everything went on. No id was used twice."),
        Line(KATHERINE, "That is the shortest incident report I have ever read."),
    ],
    "Reading club": [
        Line(KATHERINE, "This month: “Time, Clocks, and the Ordering of Events in a Distributed System”."),
        Line(ADA, "Chapter one is the whole of it."),
    ],
    "Random": [],
}  # fmt: skip


class Guest:
    """Somebody at the chat of an address, without a page."""

    def __init__(self, address: str) -> None:
        where = urlsplit(address)
        assert where.hostname is not None
        assert where.port is not None
        self._host, self._port = where.hostname, where.port
        self._person: Person

    async def enter(self, name: str) -> None:
        """Signs up; or in, if the name is taken. Raises Refused, and what `request` raises."""
        try:
            self._person = await sign_up(self._port, name, password=PASSWORD, host=self._host)
        except Refused as refusal:
            if refusal.status != HTTPStatus.CONFLICT:
                raise
            self._person = await sign_in(self._port, name, password=PASSWORD, host=self._host)

    async def rooms(self) -> dict[str, int]:
        return {room["name"]: room["id"] for room in (await self.ask("GET", "/rooms")).json()["rooms"]}

    async def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """Raises Refused, and what `request` raises."""
        headers = self._person.headers
        answer = await request(self._port, method, path, headers=headers, body=body, host=self._host)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise Refused(f"{method} {path}", answer)
        return answer


async def fill(address: str) -> str:
    """Makes people, rooms and talk. Returns a line that says how to sign in, or why there is no talk."""
    try:
        await _talk({name: Guest(address) for name in PEOPLE})
    except (Refused, OSError, EOFError, TimeoutError) as error:
        # Somebody may have taken one of the names before, with a password of their own.
        return f"The rooms could not be filled with talk ({error})"
    return f"Sign in as any of {', '.join(PEOPLE)}, with the password {PASSWORD}"


async def _talk(guests: dict[str, Guest]) -> None:
    for name, guest in guests.items():
        await guest.enter(name)
    host = guests["Grace Hopper"]
    known = await host.rooms()
    for room in TALK:
        if room not in known:
            await host.ask("POST", "/rooms", {"name": room})
    rooms = await host.rooms()
    for room, lines in TALK.items():
        ids: list[str] = []
        for number, line in enumerate(lines, 1):
            message = {"room_id": rooms[room], "content": line.content, "client_id": f"demo-{number}"}
            if line.answers is not None:
                message["reply_to"] = ids[line.answers - 1]
            answer = await guests[line.author].ask("POST", "/messages", message)
            ids.append(answer.json()["id"])
            for emoji, names in line.reactions.items():
                for name in names:
                    path = f"/rooms/{rooms[room]}/messages/{ids[-1]}/reactions/{quote(emoji)}"
                    await guests[name].ask("PUT", path)
