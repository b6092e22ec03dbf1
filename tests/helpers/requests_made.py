"""Requests that nobody would write: what tests/system/test_fuzz.py sends."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

ROOM = "123454321"
"""Stands for the id of a room that is there, until the request is sent."""

MESSAGE = "987656789-0"
"""Stands for the id of a message in that room."""

ROUTES = [
    ("GET", "/"), ("GET", "/csrf"), ("GET", "/chat"), ("GET", f"/chat/{ROOM}"), ("GET", "/chat/stream"), ("GET", f"/chat/stream?room={ROOM}"),
    ("GET", f"/chat/stream?room={ROOM}&room={ROOM}"), ("GET", f"/chat/stream?room={ROOM}&room=1"), ("GET", "/chat/stream?" + "room=1&" * 60),
    ("GET", "/rooms"), ("POST", "/rooms"), ("DELETE", f"/rooms/{ROOM}"), ("GET", f"/rooms/{ROOM}/messages"), ("POST", "/messages"), ("POST", "/messages"),
    ("POST", f"/rooms/{ROOM}/typing"), ("GET", f"/rooms/{ROOM}/presence"), ("PUT", f"/rooms/{ROOM}/read"),
    ("GET", "/sign-in"), ("POST", "/sign-in"), ("GET", "/sign-up"), ("POST", "/sign-up"), ("POST", "/sign-out"), ("GET", "/healthz"), ("GET", "/readyz"),
    ("GET", "/static/v-0/favicon.svg"), ("GET", f"/rooms/{ROOM}/messages/{MESSAGE}"), ("PATCH", f"/rooms/{ROOM}/messages/{MESSAGE}"),
    ("PUT", f"/rooms/{ROOM}/messages/{MESSAGE}/reactions/%F0%9F%91%8D"),
    ("DELETE", f"/rooms/{ROOM}/messages/{MESSAGE}/reactions/%F0%9F%91%8D"), ("GET", f"/rooms/{ROOM}/messages?around={MESSAGE}"),
]  # fmt: skip
PATHS = [*{path for _, path in ROUTES}, "/nothing", "*", "//", "/%00", "http://x/chat"]
IN_A_ROOM = [
    "/chat/{}",
    "/rooms/{}",
    "/rooms/{}/messages",
    "/rooms/{}/nothing",
    "/rooms/{}/presence",
    "/rooms/{}/read",
    f"/rooms/{ROOM}/messages/{{}}",
    f"/rooms/{ROOM}/messages/{MESSAGE}/reactions/{{}}",
    "/static/v-0/{}",
    "/static/{}",
]
METHODS = ["GET", "HEAD", "POST", "DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW", "get"]
FIELDS = ["room", "after", "before", "limit", "after", "before", "room", "room_id", "after", "before", "limit", "content", "client_id", "around", "reply_to", "around", "at", "id", "name", "password", "next", "csrf_token", "_xsrf", "x"]  # fmt: skip
HEADERS = [
    "Accept", "Accept-Language", "Authorization", "Connection", "Content-Encoding", "Content-Type", "Cookie", "Expect", "Host",
    "If-Modified-Since", "If-None-Match", "Last-Event-ID", "Origin", "Range", "Sec-Fetch-Site", "Upgrade", "X-CSRF-Token", "X-Forwarded-For",
    "X-Forwarded-Proto", "X-Real-Ip", "X-Scheme", "X-XSRFToken",
]  # fmt: skip
KINDS = ["application/json", "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "multipart/form-data", "text/plain", ""]  # fmt: skip
KNOWN = [
    "0", "1", "-1", "0-0", "1-0", "1-2-3", "9223372036854775807-9223372036854775807", "9223372036854775808-0", "9" * 30, "9" * 5000, "1e3", "NaN",
    "null", "true", "../../etc/passwd", "//x", "\\\\x", "[", "//[", "%", "%ff", "\0", "\r\n", "\ud800", "\u0663", "\u00b2", "bytes=0-0", "bytes=-1",
    "100-continue", "keep-alive", "websocket", "gzip", "https", "javascript:x", "Thu, 01 Jan 1970 00:00:00 GMT", "9999999999999999-1", "session=2|1:0|", "harbour-session-0=2|1:0|",
    "_xsrf=2|x|y|z", "2|0|0|0", "x" * 3000, "<script>", "{{1}}", "a\tb", " ", "", "é", "🎉", ";", "=", '"', "W/\"x\"", "*", "127.0.0.1, [::", "a,b,,",
    f"{ROOM}.0-0_1.1-0", "1.1-0_2.0-0", "1.x_2.", "_", ".", "1.1-0_" * 600, "1.1-0__1.2-0", "01.1-0", "\u0663.1-0",
]  # fmt: skip

numbers = st.one_of(st.integers(-1, 2), st.integers(-(2**70), 2**70))
cursors = st.builds("{}-{}".format, numbers, numbers)
in_many_rooms = st.lists(st.builds("{}.{}".format, numbers, cursors), max_size=4).map("_".join)
words = st.one_of(st.sampled_from(KNOWN), st.text(max_size=30), numbers.map(str), cursors, in_many_rooms)
values = st.one_of(words.map(lambda text: text.encode("utf-8", "surrogatepass")), st.binary(max_size=40))
queries = st.lists(st.tuples(st.sampled_from(FIELDS), values.map(quote)), max_size=4).map(
    lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)
)
addresses = st.one_of(
    st.tuples(st.sampled_from(METHODS), st.sampled_from(PATHS)),
    st.tuples(
        st.sampled_from(["GET"] * 10 + METHODS),
        st.builds(lambda path, name: path.format(quote(name)), st.sampled_from(IN_A_ROOM), values),
    ),
    st.sampled_from(ROUTES),
    st.sampled_from(ROUTES),
)
one_line = values.map(lambda value: value.translate(None, b"\r\n"))
headers: st.SearchStrategy[list[tuple[str, bytes]]] = st.one_of(
    st.just([]), st.lists(st.tuples(st.sampled_from(HEADERS), one_line), max_size=4)
)
jsons = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, st.floats(), words),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6)),
    max_leaves=12,
)
likely = st.fixed_dictionaries(
    {
        "room_id": st.one_of(st.just(int(ROOM)), st.just(int(ROOM)), numbers),
        "content": st.one_of(words, words.map(lambda text: text * 500)),
        "name": words,
        "password": words,
    },
    optional={
        "client_id": st.one_of(st.text("ab_-9", max_size=70), words),
        "reply_to": st.one_of(st.just(MESSAGE), st.none(), words, cursors),
    },
)
extremes = st.sampled_from([b"", b"[" * 60_000, b'{"a":' * 10_000, b"x" * 65_536, b"x" * 65_537, b"x" * 300_000])
bodies = st.one_of(
    st.one_of(likely, jsons).map(lambda value: json.dumps(value).encode()),
    st.one_of(likely, jsons).map(lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")),
    queries.map(str.encode),
    st.binary(max_size=200),
    st.lists(st.tuples(st.sampled_from(FIELDS), values), max_size=3).map(
        lambda parts: b"".join(b'--x\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (name.encode(), value) for name, value in parts) + b"--x--\r\n"
    ),
)  # fmt: skip

typed_bodies = st.one_of(
    likely.map(lambda value: ("application/json", json.dumps(value).encode())),
    likely.map(lambda value: ("application/x-www-form-urlencoded", urlencode(value, errors="surrogatepass").encode())),
    st.tuples(st.sampled_from(KINDS), bodies),
    st.tuples(st.sampled_from(KINDS), extremes),
)


@dataclass(frozen=True)
class Request:
    """One that is framed as it should be; `signed_in` and `with_token` add what a browser of ours would."""

    address: tuple[str, str]
    query: str
    headers: list[tuple[str, bytes]]
    typed_body: tuple[str, bytes]
    chunk: int
    signed_in: bool
    with_token: bool

    def encode(self, identity: dict[str, str]) -> bytes:
        method, path = self.address
        target = path.replace(ROOM, identity["room"]).replace(MESSAGE, identity["message"])
        if self.query:
            target += ("&" if "?" in target else "?") + self.query
        lines = [f"{method} {target} HTTP/1.1".encode(), b"Host: localhost"]
        # Signing up, in or out would end the session that the other requests are made with.
        is_account = path.startswith("/sign-")
        if self.signed_in and not is_account:
            lines.append(f"Cookie: {identity['cookie']}".encode())
            if self.with_token:
                lines.append(f"X-CSRF-Token: {identity['token']}".encode())
        lines += [
            name.encode() + b": " + value for name, value in self.headers if not (is_account and name == "Cookie")
        ]
        kind, body = self.typed_body
        body = body.replace(ROOM.encode(), identity["room"].encode()).replace(
            MESSAGE.encode(), identity["message"].encode()
        )
        if body and kind:
            lines.append(f"Content-Type: {kind}".encode())
        if body and self.chunk:
            pieces = [body[start : start + self.chunk] for start in range(0, len(body), self.chunk)]
            body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
            lines.append(b"Transfer-Encoding: chunked")
        elif body or method in {"POST", "PUT", "PATCH"}:
            lines.append(b"Content-Length: %d" % len(body))
        return b"\r\n".join([*lines, b"", body])


requests = st.builds(
    Request,
    addresses,
    queries,
    headers,
    typed_bodies,
    st.sampled_from([0, 0, 0, 1000, 65_536]),
    st.sampled_from([True, True, True, False]),
    st.sampled_from([True, True, True, False]),
)

pieces = st.one_of(
    st.binary(max_size=60),
    values,
    st.sampled_from([b"\r\n", b"\r\n\r\n", b"\n", b"\r", b": ", b" ", b"\0", b"GET / HTTP/1.1", b"POST /messages HTTP/1.1", b"PRI * HTTP/2.0",
        b"HTTP/1.1 200 OK", b"\r\nTransfer-Encoding: chunked", b"\r\nContent-Length: 5", b"\r\nContent-Length: -1", b"\r\nContent-Length: \xb2", b"\r\nTransfer-Encoding: x",
        b"5\r\nhello\r\n", b"0\r\n\r\n", b"ffffffffffffffff\r\n", b"\x16\x03\x01\x02\x00\x01", b"x" * 20_000, b"\r\n folded", b"\r\nHost: a\r\nHost: b"]),
)  # fmt: skip
