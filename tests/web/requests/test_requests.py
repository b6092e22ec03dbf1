"""What holds for every request: methods, bodies, the page's token, and how an error looks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import pytest
from tornado.httpclient import HTTPResponse

from chatserver.app import Chat
from chatserver.web.application import ChatApplication
from tests.helpers.browserless import WAIT_SECONDS, Visitor, read
from tests.helpers.html_page import read_page
from tests.helpers.ways_to_ask import Sending

pytestmark = [pytest.mark.gen_test, pytest.mark.one_chat]

ROUTES = {
    "/": "GET HEAD",
    "/sign-up": "GET HEAD POST",
    "/sign-in": "GET HEAD POST",
    "/sign-out": "POST",
    "/csrf": "GET HEAD",
    "/chat": "GET HEAD",
    "/chat/{room}": "GET HEAD",
    "/chat/stream?room={room}": "GET HEAD",
    "/rooms": "GET HEAD POST",
    "/rooms/{room}": "DELETE",
    "/rooms/{room}/messages": "GET HEAD",
    "/rooms/{room}/messages/1-0": "GET HEAD PATCH DELETE",
    "/rooms/{room}/messages/1-0/reactions/%F0%9F%91%8D": "PUT DELETE",
    "/rooms/{room}/typing": "POST",
    "/rooms/{room}/presence": "GET HEAD",
    "/rooms/{room}/read": "PUT",
    "/search": "GET HEAD",
    "/messages": "POST",
    "/healthz": "GET HEAD",
    "/readyz": "GET HEAD",
    "/static/v-0/favicon.svg": "GET HEAD",
}
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get"]
JSON = {"Content-Type": "application/json"}

TAKES_BODY = {
    "/sign-up": {"name": "", "password": ""},
    "/sign-in": {"name": "nobody at all", "password": "x"},
    "/rooms": {"name": ""},
    "/messages": {"room_id": 0, "content": "x"},
}
"""The routes that read a body, with one that is well formed and changes nothing."""


async def raw(visitor: Visitor, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Sends these bytes and reads an answer with a length."""
    address = urlsplit(visitor.address)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(request)
        async with asyncio.timeout(WAIT_SECONDS):
            status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
    finally:
        writer.close()
    return int(status.split()[1]), headers, body


def head(visitor: Visitor, method: str, path: str, **headers: str) -> bytes:
    cookies = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Cookie: {cookies}", f"X-CSRF-Token: {visitor.token}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


# Methods


@pytest.mark.parametrize(("route", "methods"), ROUTES.items())
async def test_another_method_is_not_allowed_and_those_that_are_are_named(
    ada: Visitor, room: int, visit: Callable[..., Visitor], route: str, methods: str
) -> None:
    path, nobody = route.format(room=room), visit()
    for method in set(METHODS) - set(methods.split()):
        for visitor in (ada, nobody):
            response = await visitor.fetch(method, path, body=b"", token=False, headers={"Accept": "application/json"})
            assert response.code == 405, method
            assert set(response.headers["Allow"].split(", ")) == set(methods.split())
            assert method == "HEAD" or read(response) == {"error": "method not allowed"}


async def test_no_route_is_missing_in_this_table(chat: Chat, room: int) -> None:
    application: ChatApplication = chat.application
    (rules,) = [rule.target.rules for rule in application.default_router.rules if hasattr(rule.target, "rules")]
    patterns = [rule.matcher.regex for rule in rules]
    paths = [urlsplit(route.format(room=room)).path for route in ROUTES]
    assert [pattern.pattern for pattern in patterns if not any(map(pattern.match, paths))] == []


@pytest.mark.parametrize("path", ["/nothing", "/chat/", "/rooms/", "/chat/1/2", "/rooms/1/2", "//", "/static/", "/static/favicon.svg", "/.env", "/%00", "/sign-in/", "/CHAT"])  # fmt: skip
async def test_an_unknown_path_is_not_found(ada: Visitor, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        response = await ada.fetch(method, path, body=None if method == "GET" else b"", token=False)
        assert (response.code, read(response)) == (404, {"error": "not found"})
    page = await ada.get(path, headers={"Accept": "text/html"})
    assert (page.code, read_page(page).one("h1").text) == (404, "Page not found")


# Bodies


@pytest.mark.parametrize("route", TAKES_BODY)
@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/octet-stream", "text/json", "x", "application/json5"])  # fmt: skip
async def test_a_body_that_is_neither_json_nor_a_form_is_refused(ada: Visitor, route: str, kind: str) -> None:
    body = json.dumps(TAKES_BODY[route]).encode()
    response = await ada.fetch("POST", route, body=body, headers={"Content-Type": kind})
    assert (response.code, set(read(response))) == (415, {"error"})


@pytest.mark.parametrize("kind", ["application/json", "APPLICATION/JSON", "application/json; charset=utf-8", "application/problem+json", ""])  # fmt: skip
async def test_json_is_read_under_all_its_names(ada: Visitor, room: int, kind: str) -> None:
    body = json.dumps({"room_id": room, "content": kind or "none"}).encode()
    response = await ada.fetch("POST", "/messages", body=body, headers={"Content-Type": kind})
    assert response.code == 201


NO_JSON = [
    b"", b" ", b"{", b"}", b"{}{}", b"nul", b"'x'", b"{'name':'x'}", b'{"name":}', b'{"name":"x",}', b'{"name":"\t"}', b'{"name":"\\x"}',
    b"NaN", b'{"name":NaN}', b'{"name":Infinity}', b'{"name":-Infinity}', b'{"name":01}', b'{"name":1e999}', b'{"name":' + b"9" * 5000 + b"}",
    b"\0", b'{"name":"a\0b"}', b"\xff\xfe", b'{"name":"\xff"}', b'{"name":"\xed\xa0\x80"}', b'{"name":"\xc0\x80"}', b'{"name":"\\ud800"}',
    b'{"name":"\\udc00\\ud800"}', b"[" * 60_000, b'{"a":' * 12_000, b"[" * 30_000 + b"]" * 30_000, b'{"a":' * 9_000 + b"1" + b"}" * 9_000,
    b"\xef\xbb\xbf{}", '{"name":"x"}'.encode("utf-16"), b"null", b"true", b"7", b'"x"', b"[]", b'[{"name":"x"}]', b"name=x",
]  # fmt: skip


@pytest.mark.parametrize("route", TAKES_BODY)
async def test_what_is_no_json_or_has_the_wrong_types_is_malformed(ada: Visitor, route: str) -> None:
    texts = set()
    for body in NO_JSON:
        response = await ada.fetch("POST", route, body=body, headers=JSON)
        assert (response.code, set(read(response))) == (400, {"error"}), body[:50]
        texts.add(read(response)["error"])
    assert len(texts) == 1


async def test_a_field_that_stands_twice_counts_once_and_unknown_ones_do_not(ada: Visitor, room: int) -> None:
    body = b'{"room_id":%d,"content":"first","content":"second","user_id":1,"id":"1-0","x":{"content":"z"}}' % room
    response = await ada.fetch("POST", "/messages", body=body, headers=JSON)
    message = read(response)["message"]
    assert (response.code, message["user_id"]) == (201, ada.id)
    assert message["content"] in {"first", "second"}
    assert (await ada.page(room))["messages"] == [message]


@pytest.mark.parametrize("route", TAKES_BODY)
async def test_a_form_that_is_none_is_malformed(ada: Visitor, route: str) -> None:
    multipart = "multipart/form-data; boundary=x"
    plain = "application/x-www-form-urlencoded"
    forms = [
        (plain, b"name=%FF&password=%FF&room_id=1&content=%FF"),
        (plain, b"%"),
        (plain, b"\xff"),
        (plain, b"=&=&;"),
    ]
    forms += [(plain, b"room_id=x&content=y"), (plain, b"&".join(b"f%d=1" % n for n in range(5000)))]
    forms += [(multipart, b""), (multipart, b"--x\r\n"), (multipart, b"--x--"), ("multipart/form-data", b"--x\r\n")]
    forms += [(multipart, b'--x\r\nContent-Disposition: form-data; name="\xff"\r\n\r\n\xff\r\n--x--\r\n')]
    for kind, body in forms:
        response = await ada.fetch("POST", route, body=body, headers={"Content-Type": kind})
        assert response.code == 400, (kind, body[:50])


async def test_a_body_over_64_kib_is_refused_wherever_it_goes(ada: Visitor, visit: Callable[..., Visitor]) -> None:
    for visitor in (ada, visit()):
        for path in [*TAKES_BODY, "/sign-out", "/nothing", "/chat"]:
            response = await visitor.fetch("POST", path, body=b" " * 65_537, headers=JSON)
            assert (response.code, read(response)) == (413, {"error": "the body is too large"}), path
            response = await visitor.fetch("POST", path, body=b" " * 65_536, headers=JSON)
            assert response.code != 413


async def test_a_body_in_chunks_is_bounded_alike(ada: Visitor, room: int) -> None:
    def chunked(size: int, chunk: int) -> bytes:
        start = b'{"room_id":%d,"content":"x","padding":"' % room
        body = start + b"x" * (size - len(start) - 2) + b'"}'
        pieces = [body[place : place + chunk] for place in range(0, len(body), chunk)]
        return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"

    start = head(ada, "POST", "/messages", Transfer_Encoding="chunked", Content_Type="application/json")
    for size, chunk, status in [
        (65_536, 1000, 201),
        (65_537, 1000, 413),
        (65_537, 65_537, 413),
        (1_000_000, 8192, 413),
    ]:
        answer, _, body = await raw(ada, start + chunked(size, chunk))
        assert answer == status
        assert status == 201 or json.loads(body) == {"error": "the body is too large"}
    assert len((await ada.page(room))["messages"]) == 1


@pytest.mark.parametrize("length", ["Content-Length: 100", "Transfer-Encoding: chunked"])
async def test_a_body_that_does_not_come_ends_with_its_connection(
    ada: Visitor, length: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatserver.web.transport.body_limit.BODY_SECONDS", 0.2)
    address = urlsplit(ada.address)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(f"POST /messages HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n".encode())
    assert await reader.read() == b""
    writer.close()


async def test_behind_an_answer_that_closes_the_connection_nothing_is_done_or_answered(
    ada: Visitor, room: int, chat: Chat
) -> None:
    """Neither behind a body that is too large, however it is sent, nor on a process that is about to end."""
    said = json.dumps({"room_id": room, "content": "behind"}).encode()
    next_one = head(ada, "POST", "/messages", Content_Length=str(len(said)), Content_Type="application/json") + said
    fixed = head(ada, "POST", "/messages", Content_Length="70000", Content_Type="application/json") + b"x" * 70_000
    chunked = head(ada, "POST", "/messages", Transfer_Encoding="chunked", Content_Type="application/json")
    chunked += b"%x\r\n%b\r\n0\r\n\r\n" % (70_000, b"x" * 70_000)
    for request, status in [(fixed, b"413"), (chunked, b"413"), (head(ada, "GET", "/chat"), b"200")]:
        chat.services.health.draining = status == b"200"
        # With the next one in the same segment, or right behind it; and with more than is thrown away.
        for pieces in ([request + next_one], [request, next_one], [request + next_one * 3, b"x" * 100_000]):
            answer = await everything(ada, pieces)
            assert answer.count(b"HTTP/1.1 ") == 1
            assert answer.startswith(b"HTTP/1.1 " + status)
            assert b"\r\nConnection: close\r\n" in answer
    chat.services.health.draining = False
    assert (await ada.page(room))["messages"] == []


async def everything(visitor: Visitor, pieces: Sequence[bytes]) -> bytes:
    """What is answered until the server ends the connection."""
    address = urlsplit(visitor.address)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        async with asyncio.timeout(WAIT_SECONDS):
            return await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize("length", [16 * 1024 * 1024 + 1, 10**12])
async def test_a_body_that_is_only_announced_is_too_large_too(ada: Visitor, length: int) -> None:
    """The answer does not wait for it."""
    start = head(ada, "POST", "/messages", Content_Length=str(length), Content_Type="application/json")
    status, headers, body = await raw(ada, start)
    assert (status, json.loads(body)) == (413, {"error": "the body is too large"})
    assert headers["connection"] == "close"


@pytest.mark.parametrize("length", ["x", "-1", "+1", "1.0", "0x1", "\xb2", "\xd9\xa3", "1, 2", "1 2", "", "9" * 5000])
async def test_a_length_that_is_none_is_malformed(ada: Visitor, chat: Chat, length: str) -> None:
    start = head(ada, "POST", "/messages", Content_Length=length, Content_Type="application/json")
    status, *_ = await raw(ada, start + b"{}")
    assert 400 <= status < 500
    assert (await ada.get("/healthz")).code == 200


# The page's token


async def post(visitor: Visitor, body: Any = None, **headers: str) -> HTTPResponse:
    """A post that is refused for what it says (404), once its token was believed."""
    body = {"room_id": 0, "content": "x"} if body is None else body
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return await visitor.fetch("POST", "/messages", json_body=body, token=False, headers=headers)


async def test_a_change_needs_the_token_wherever_it_stands(ada: Visitor) -> None:
    token = await ada.get_csrf()
    body = {"room_id": 0, "content": "x"}
    assert (await post(ada, X_CSRF_Token=token)).code == 404
    assert (await post(ada, X_XSRFToken=token)).code == 404
    assert (await post(ada, body | {"csrf_token": token})).code == 404
    form = {"room_id": "0", "content": "x", "_xsrf": token}
    assert (await ada.fetch("POST", "/messages", form=form, token=False)).code == 404
    page = read_page(await ada.get("/chat"))
    assert (await post(ada, X_CSRF_Token=page.one("meta", name="csrf-token")["content"])).code == 404
    fields = {field["value"] for field in page.all("input", name="_xsrf")}
    for value in fields:
        assert (await ada.fetch("POST", "/messages", form=form | {"_xsrf": value}, token=False)).code == 404


async def test_without_the_token_or_with_another_nothing_is_changed(
    ada: Visitor, room: int, visit: Callable[..., Visitor]
) -> None:
    grace = visit()
    await grace.sign_up()
    assert ada.token is not None
    assert grace.token is not None
    body = {"room_id": room, "content": "x"}
    wrong = [grace.token, "", "x", "0", "é", "null", "2|", "2|x|x|1", "2|||", "3|x", ada.token[:-12], ada.token.replace("|", ""), "9" * 4000]  # fmt: skip
    answers = [await post(ada, body)]
    answers += [await post(ada, body, X_CSRF_Token=token) for token in wrong]
    answers += [await post(ada, body, X_XSRFToken=token) for token in wrong]
    answers += [
        await post(ada, body | {"csrf_token": token}) for token in [*wrong, "a\r\nb", "\0", "🎉", None, 7, [ada.token]]
    ]
    form = {"room_id": str(room), "content": "x"}
    answers += [await ada.fetch("POST", "/messages", form=form | {"_xsrf": token}, token=False) for token in wrong]
    answers += [await ada.fetch("POST", "/messages", form=form | {"csrf_token": ada.token}, token=False)]
    for answer in answers:
        assert (answer.code, read(answer)) == (403, {"error": "invalid csrf token"})
    assert (await ada.page(room))["messages"] == []


async def test_the_token_belongs_to_the_session_and_no_cookie_changes_that(
    ada: Visitor, visit: Callable[..., Visitor]
) -> None:
    """Not the one that another visitor got, nor with the cookie it came with, nor any two that are equal."""
    mallory = visit()
    hers = await mallory.get_csrf()
    assert ada.session is not None
    own = f"{ada.session}={ada.cookies[ada.session]}"
    planted = "; ".join(f"{name}={value}" for name, value in mallory.cookies.items())
    for token, cookie in (
        (hers, own),
        (hers, f"{planted}; {own}"),
        (hers, f"{own}; {planted}"),
        ("abcd", f"_xsrf=abcd; {own}"),
    ):
        for headers in ({"X-CSRF-Token": token}, {"X-XSRFToken": token}):
            answer = await ada.fetch(
                "POST", "/rooms", json_body={"name": "x"}, headers=headers | {"Cookie": cookie}, token=False
            )
            assert (answer.code, read(answer)) == (403, {"error": "invalid csrf token"})
        form = {"name": "x", "_xsrf": token}
        answer = await ada.fetch("POST", "/rooms", form=form, headers={"Cookie": cookie})
        assert (answer.code, read(answer)) == (403, {"error": "invalid csrf token"})
    for cookie in (own, f"{planted}; {own}"):
        answer = await ada.fetch("POST", "/rooms", json_body={"name": ""}, headers={"Cookie": cookie})
        assert answer.code == 422


async def test_a_program_goes_on_with_the_token_of_before_it_signed_in(
    ada: Visitor, visit: Callable[..., Visitor]
) -> None:
    program = visit()
    token = await program.get_csrf()
    credentials = {"name": ada.name, "password": "correct horse"}
    for form in (False, True):
        sent: Sending = {"form": credentials | {"_xsrf": token}} if form else {"json_body": credentials}
        await program.fetch("POST", "/sign-in", **sent)
        answer = await program.fetch(
            "POST", "/rooms", json_body={"name": ""}, headers={"X-CSRF-Token": token}, token=False
        )
        assert answer.code == 422
        assert (await program.fetch("POST", "/sign-out", json_body={})).code == 204


@pytest.mark.parametrize("browser", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "{address}"}])
async def test_in_a_browser_the_session_gets_a_token_of_its_own(
    ada: Visitor, visit: Callable[..., Visitor], browser: dict[str, str]
) -> None:
    """Whoever could set its cookies before knows the token that goes with them."""
    page = visit()
    token = await page.get_csrf()
    form = {"name": ada.name, "password": "correct horse", "_xsrf": token}
    browser = {name: value.format(address=page.address) for name, value in browser.items()}
    assert (await page.fetch("POST", "/sign-in", form=form, headers=browser)).code == 303
    answer = await page.fetch("POST", "/rooms", json_body={"name": ""}, headers=browser)
    assert (answer.code, read(answer)) == (403, {"error": "invalid csrf token"})
    await page.get_csrf()
    assert (await page.fetch("POST", "/rooms", json_body={"name": ""}, headers=browser)).code == 422


async def test_the_token_of_a_page_has_other_bytes_from_second_to_second(ada: Visitor) -> None:
    """What is the same in each page could be learnt from how well pages compress."""
    tokens = {await ada.get_csrf()}
    while len(tokens) == 1:
        tokens.add(await ada.get_csrf())
    one, other = (token.rpartition("|")[2] for token in tokens)
    assert sum(a == b for a, b in zip(one, other, strict=True)) < len(one) / 2


@pytest.mark.parametrize(("method", "path"), [("POST", "/sign-out"), ("POST", "/sign-in"), ("POST", "/sign-up"), ("POST", "/rooms"), ("POST", "/messages"), ("DELETE", "/rooms/{room}")])  # fmt: skip
async def test_every_change_asks_for_it(ada: Visitor, room: int, method: str, path: str) -> None:
    for headers in ({}, {"X-CSRF-Token": "wrong"}, {"Sec-Fetch-Site": "same-origin"}):
        response = await ada.fetch(method, path.format(room=room), body=b"{}", headers=JSON | headers, token=False)
        assert (response.code, read(response)) == (403, {"error": "invalid csrf token"})
    assert (await ada.get(f"/rooms/{room}/messages")).code == 200


# How an error looks


async def errors(visitor: Visitor, nobody: Visitor, accept: str) -> list[HTTPResponse]:
    """One of each kind, from programs and browsers that accept this."""
    headers = {"Accept": accept}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    return [
        await visitor.fetch("GET", "/nothing", headers=headers),
        await visitor.fetch("GET", "/rooms/0/messages", headers=headers),
        await visitor.fetch("GET", "/chat/stream", headers=headers),
        await visitor.fetch("GET", "/static/v-0/nothing.css", headers=headers),
        await visitor.fetch("GET", "/static/v-0/css", headers=headers),
        await visitor.fetch("DELETE", "/rooms", headers=headers),
        await visitor.fetch("DELETE", "/static/v-0/favicon.svg", headers=headers),
        await visitor.fetch("BREW", "/rooms", body=b"", headers=headers),
        await visitor.fetch("POST", "/messages", body=b"room_id=0&content=x", headers=headers | form),
        await visitor.fetch("POST", "/rooms", body=b" " * 65_537, headers=headers | form),
        await visitor.fetch("POST", "/sign-out", body=b"", headers=headers | form, token=False),
        await nobody.fetch("GET", "/rooms", headers=headers),
        await nobody.fetch("GET", "/nothing", headers=headers),
    ]


STATUSES = [404, 404, 400, 404, 404, 405, 405, 405, 404, 413, 403, 401, 404]


@pytest.mark.parametrize("accept", ["*/*", "application/json", "", "text/event-stream"])
async def test_a_program_reads_errors_as_json(ada: Visitor, visit: Callable[..., Visitor], accept: str) -> None:
    answers = await errors(ada, visit(), accept)
    assert [answer.code for answer in answers] == STATUSES
    for answer in answers:
        error = read(answer)
        assert set(error) == {"error"}
        assert error["error"]
        assert isinstance(error["error"], str)


async def test_a_browser_shows_errors_as_pages(ada: Visitor, visit: Callable[..., Visitor]) -> None:
    answers = await errors(ada, visit(), "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
    assert [answer.code for answer in answers] == STATUSES
    for answer in answers:
        page = read_page(answer)
        assert page.one("h1").text
        assert page.one("p").text
        assert str(answer.code) not in page.one("main").text, "a code is for programs"
        assert b"Traceback" not in answer.body


async def test_who_sent_json_reads_json(ada: Visitor) -> None:
    response = await ada.fetch("POST", "/rooms", json_body={}, headers={"Accept": "text/html"})
    assert (response.code, set(read(response))) == (400, {"error"})


async def test_what_is_unavailable_says_when_to_come_again(
    ada: Visitor, room: int, visit: Callable[..., Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As JSON, as a page and as the form that is shown again."""
    credentials = {"name": ada.name, "password": "correct horse"}
    form = {"room_id": str(room), "content": "kept", "_xsrf": await ada.get_csrf()}
    with monkeypatch.context() as patched:
        patched.setattr("chatserver.accounts.hashing.MAX_QUEUED_HASHES", 0)
        patched.setattr("chatserver.log.room_log.MAX_PENDING", 0)
        as_json = [await visit().fetch("POST", "/sign-in", json_body=credentials), await ada.post(room, "kept")]
        as_forms = [
            await visit().fetch("POST", "/sign-in", form=credentials),
            await ada.fetch("POST", "/messages", form=form),
        ]
    for answer in as_json + as_forms:
        assert answer.code == 503
        assert int(answer.headers["Retry-After"]) > 0
    assert [set(read(answer)) for answer in as_json] == [{"error"}, {"error"}]
    assert all(read_page(answer).one("p", role="alert").text for answer in as_forms)
    assert read_page(as_forms[1]).one("textarea").text == "kept"
    assert (await ada.post(room, "now")).code == 201
