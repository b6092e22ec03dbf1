"""Whatever a client sends: an answer below 500 or a closed connection, at once, and a server that goes on as before.

FUZZ_CASES says how many requests each test makes up: few as a rule, 100,000 with `scripts/test --thorough`.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.helpers.requests_made import Request, one_line, pieces, requests, values
from tests.helpers.server_process import ServerProcess

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

CASES = int(os.environ.get("FUZZ_CASES", "300"))
WAIT_SECONDS = 15.0
"""More than any answer needs on a busy machine, less than the server's own limits of 30 and 75 seconds."""

fuzzed = settings(
    max_examples=CASES,
    deadline=None,
    database=None,
    derandomize="FUZZ_CASES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)


@dataclass
class Target:
    server: ServerProcess
    identity: dict[str, str] = field(default_factory=dict)

    def prepare(self) -> None:
        """Somebody makes a room, so that somebody else, who sends all the rest, can not close it."""
        for name in ("Maker", "Fuzzer"):
            connection = HTTPConnection("127.0.0.1", self.server.port, timeout=WAIT_SECONDS)
            connection.request("GET", "/csrf")
            answer = connection.getresponse()
            cookies = [answer.headers["Set-Cookie"].split(";")[0]]
            self.identity["token"] = json.loads(answer.read())["csrf_token"]
            credentials = json.dumps({"name": f"{name} {os.urandom(8).hex()}", "password": "correct horse"})
            connection.request(
                "POST", "/sign-up", credentials, {"Content-Type": "application/json", "Cookie": cookies[0]}
            )
            answer = connection.getresponse()
            assert answer.status == 201, answer.read()
            answer.read()
            cookies.append(answer.headers["Set-Cookie"].split(";")[0])
            self.identity["cookie"] = "; ".join(cookies)
            connection.close()
            if name == "Maker":
                room = self.ask("POST", "/rooms", {"name": f"Room {os.urandom(8).hex()}"}, 201)
                self.identity["room"] = str(room["id"])
                other = self.ask("POST", "/rooms", {"name": f"Room {os.urandom(8).hex()}"}, 201)
                self.identity["other room"] = str(other["id"])
        said = self.ask("POST", "/messages", {"room_id": room["id"], "content": "hello"}, 201)
        self.identity["message"] = said["id"]

    def ask(self, method: str, path: str, body: Any, status: int) -> Any:
        """A plain request that has to succeed."""
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=WAIT_SECONDS)
        given = {"Cookie": self.identity["cookie"], "X-CSRF-Token": self.identity["token"]}
        connection.request(method, path, json.dumps(body), given | {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        assert answer.status == status, (answer.status, text)
        return json.loads(text)

    def send(self, data: bytes, *, and_no_more: bool = False) -> bytes:
        """Sends, and returns what came back: the head of the answer, or nothing if the connection was closed.

        `and_no_more`: says that nothing will follow, and waits until the server has closed its side too.
        """
        received = b""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=WAIT_SECONDS) as connection:
            try:
                connection.sendall(data)
                if and_no_more:
                    connection.shutdown(socket.SHUT_WR)
                while and_no_more or b"\r\n\r\n" not in received.removeprefix(b"HTTP/1.1 100 (Continue)\r\n\r\n"):
                    more = connection.recv(65_536)
                    if not more:
                        break
                    received += more
            except TimeoutError:
                pytest.fail(f"neither answered nor closed: {data[:2000]!r}")
            except OSError:
                pass  # it closed the connection while there was still something to send
        return received.removeprefix(b"HTTP/1.1 100 (Continue)\r\n\r\n")

    def is_well(self) -> None:
        """It is the same process, it is ready, and what is said is read."""
        assert self.server.runs
        assert self.ask("GET", "/readyz", None, 200) == {"redis": True, "mongodb": True, "draining": False}
        room = self.identity["room"]
        posted = self.ask("POST", "/messages", {"room_id": int(room), "content": "all is well"}, 201)
        assert self.ask("GET", f"/rooms/{room}/messages", None, 200)["messages"][-1] == posted["message"]


@pytest.fixture
def target(start_server: Callable[..., ServerProcess], capfd: pytest.CaptureFixture[str]) -> Iterator[Target]:
    """A server process that was well before and is after, and had nothing to complain of."""
    target = Target(start_server())
    target.prepare()
    target.is_well()
    yield target
    target.is_well()
    complaints = capfd.readouterr().err
    assert "Traceback" not in complaints, complaints[complaints.index("Traceback") - 300 :][:3000]


def status_of(answer: bytes) -> int:
    assert answer.startswith(b"HTTP/1.1 "), answer[:100]
    return int(answer[9:12])


def test_every_request_is_answered_and_none_breaks_the_server(target: Target) -> None:
    @fuzzed
    @given(requests)
    def case(request: Request) -> None:
        sent = request.encode(target.identity)
        answer = target.send(sent)
        assert not answer or 200 <= status_of(answer) < 500, (answer, sent[:2000])

    case()


def test_whatever_stands_in_a_cursor_a_stream_begins_or_says_why_not(target: Target) -> None:
    """Here every answer counts: the cursor is a plain header and a plain parameter."""

    @fuzzed
    @given(one_line, st.one_of(st.none(), values), st.sampled_from(["GET", "GET", "HEAD"]), st.booleans())
    def case(last: bytes, after: bytes | None, method: str, many: bool) -> None:
        query = f"room={target.identity['room']}" + ("" if after is None else f"&after={quote(after)}")
        query += f"&room={target.identity['other room']}" if many else ""
        head = f"{method} /chat/stream?{query} HTTP/1.1\r\nHost: x\r\nCookie: {target.identity['cookie']}\r\n"
        answer = target.send(head.encode() + b"Last-Event-ID: " + last + b"\r\n\r\n")
        assert status_of(answer) in {200, 400}, (answer, last, after)
        if status_of(answer) == 200:
            assert b"\r\nContent-Type: text/event-stream" in answer

    case()


def test_bytes_that_are_no_request_end_the_connection(target: Target) -> None:
    """Requests that are torn, doubled and mixed with anything else."""

    @fuzzed
    @given(requests, st.lists(pieces, max_size=5), st.integers(0, 600), st.booleans(), st.booleans())
    def case(request: Request, others: list[bytes], place: int, at_a_line: bool, torn: bool) -> None:
        whole = request.encode(target.identity)
        if at_a_line:
            place = whole.find(b"\r\n", place) % len(whole)
        sent = whole[:place] + b"".join(others) + (b"" if torn else whole[place:])
        answer = target.send(sent, and_no_more=True)
        if answer.startswith(b"HTTP/"):
            assert status_of(answer) < 500, (answer, sent[:2000])

    case()
