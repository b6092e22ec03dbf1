"""`ORIGIN`, the site's own address: who comes by another name is sent away, over plain HTTP to HTTPS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.cookies import SimpleCookie

import pytest
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.testing import bind_unused_port
from tornado.web import create_signed_value, decode_signed_value

from chatserver.app import Chat
from chatserver.serving import make_server
from chatserver.support.origin import Origin
from chatserver.web.application import ChatApplication
from chatserver.web.caller.proxies import Proxies
from tests.helpers.browserless import Visitor, read
from tests.helpers.chats import static_files
from tests.helpers.ways_to_ask import Sending

pytestmark = [pytest.mark.gen_test, pytest.mark.one_chat]

SECRET = "a secret for tests only"
SITE = "https://chat.example.org"
HOST = {"Host": "chat.example.org", "X-Forwarded-Proto": "https"}


@pytest.fixture
def at_site(io_loop: IOLoop, chat: Chat) -> Iterator[Callable[[str], str]]:
    """Serves the chat with this `ORIGIN`; returns where it listens."""
    servers: list[HTTPServer] = []

    def serve(origin: str) -> str:
        listener, port = bind_unused_port()
        servers.append(
            make_server(ChatApplication(chat.services, SECRET, static_files(), Origin.parse(origin), Proxies(1)))
        )
        servers[-1].add_socket(listener)
        return f"http://127.0.0.1:{port}"

    yield serve
    for server in servers:
        server.stop()
        io_loop.run_sync(server.close_all_connections)


async def test_no_other_host_is_answered(at_site: Callable[[str], str], visit: Callable[..., Visitor]) -> None:
    nobody = visit(at_site(SITE))
    for host in ("evil.test", "chat.example.org.evil.test", "chat.example.org.", "chat.example.org:8000", "127.0.0.1"):  # fmt: skip
        for method, path in (("GET", "/sign-in"), ("GET", "/nothing"), ("GET", "/static/v-0/favicon.svg"), ("GET", "/chat/stream?room=1"), ("POST", "/sign-in")):  # fmt: skip
            sent: Sending = {"body": b"{}"} if method == "POST" else {}
            response = await nobody.fetch(method, path, headers=HOST | {"Host": host}, **sent)
            assert (response.code, read(response)) == (421, {"error": "no such site here"}), (host, path)
    for host in ("chat.example.org", "CHAT.example.org", "chat.example.org:443"):
        assert (await nobody.get("/sign-in", headers=HOST | {"Host": host})).code == 200


async def test_plain_http_is_sent_to_https(at_site: Callable[[str], str], visit: Callable[..., Visitor]) -> None:
    nobody = visit(at_site(SITE))
    for path in ("/", "/sign-in?next=%2Fchat%2F7", "//evil.test/x", "/nothing"):
        for scheme in ({"X-Forwarded-Proto": "http"}, {}):
            for host in ("chat.example.org", "chat.example.org:80", "chat.example.org:8000"):
                response = await nobody.get(path, headers={"Host": host, **scheme})
                assert (response.code, response.headers["Location"]) == (308, f"{SITE}{path}")
                assert "Strict-Transport-Security" not in response.headers
    credentials = {"name": "somebody", "password": "correct horse"}
    response = await nobody.fetch("POST", "/sign-up", json_body=credentials, headers={"Host": "chat.example.org"})
    assert (response.code, response.headers["Location"]) == (308, f"{SITE}/sign-up")
    assert nobody.session is None


async def test_who_watches_the_process_may_call_it_by_any_name(
    at_site: Callable[[str], str], visit: Callable[..., Visitor]
) -> None:
    nobody = visit(at_site(SITE))
    for path in ("/healthz", "/readyz"):
        assert (await nobody.get(path)).code == 200


async def test_browsers_are_told_to_come_over_https_alone(
    at_site: Callable[[str], str], ada: Visitor, visit: Callable[..., Visitor]
) -> None:
    visitor = visit(at_site(SITE))
    response = await visitor.get("/sign-in", headers=HOST)
    assert response.headers["Strict-Transport-Security"] == "max-age=31536000"
    credentials = {"name": ada.name, "password": "correct horse"}
    answer = await visitor.fetch("POST", "/sign-in", json_body=credentials, headers=HOST)
    assert answer.code == 200
    lines = [*response.headers.get_list("Set-Cookie"), *answer.headers.get_list("Set-Cookie")]
    assert len(lines) == 2
    for line in lines:
        ((name, cookie),) = SimpleCookie(line).items()
        assert name.startswith("__Host-")
        assert (cookie["secure"], cookie["httponly"], cookie["path"], cookie["domain"]) == (True, True, "/", "")
        assert cookie["samesite"] == "Lax"
    # A neighbour in the domain could set the cookie that we have without HTTPS.
    planted = {"Cookie": f"{ada.session}={ada.cookies[str(ada.session)]}"}
    assert (await visit(visitor.address).get("/rooms", headers=HOST | planted)).code == 401
    answer = await visitor.fetch(
        "POST", "/sign-out", json_body={}, headers=HOST | {"X-CSRF-Token": await token(visitor)}
    )
    assert answer.code == 204
    assert "__Host-" in answer.headers["Set-Cookie"]
    assert "secure" in answer.headers["Set-Cookie"].lower()


async def token(visitor: Visitor) -> str:
    return str(read(await visitor.get("/csrf", headers=HOST))["csrf_token"])


async def test_only_our_own_origin_changes_something(
    at_site: Callable[[str], str], ada: Visitor, visit: Callable[..., Visitor]
) -> None:
    visitor = visit(at_site(SITE))
    credentials = {"name": ada.name, "password": "correct horse"}
    for origin in ("http://chat.example.org", "https://chat.example.org:8443", "https://evil.test", "null"):
        answer = await visitor.fetch("POST", "/sign-in", json_body=credentials, headers=HOST | {"Origin": origin})
        assert (answer.code, read(answer)) == (403, {"error": "invalid csrf token"})
    answer = await visitor.fetch("POST", "/sign-in", json_body=credentials, headers=HOST | {"Origin": SITE})
    assert answer.code == 200


async def test_a_site_without_https_is_answered_where_it_is(
    at_site: Callable[[str], str], visit: Callable[..., Visitor]
) -> None:
    nobody = visit(at_site("http://chat.lan:8000"))
    answer = await nobody.get("/sign-in", headers={"Host": "chat.lan:8000"})
    assert answer.code == 200
    assert "__Host-" not in answer.headers["Set-Cookie"]
    assert "Strict-Transport-Security" not in answer.headers
    assert (await nobody.get("/sign-in", headers={"Host": "chat.lan"})).code == 421


# The names of the cookies


async def test_two_chats_of_one_host_do_not_take_each_others_cookies(io_loop: IOLoop, chat: Chat, ada: Visitor) -> None:
    listener, port = bind_unused_port()
    server = make_server(ChatApplication(chat.services, "the secret of another chat", static_files()))
    server.add_socket(listener)
    home, ada.address = ada.address, f"http://127.0.0.1:{port}"
    await ada.fetch("POST", "/sign-in", json_body={"name": ada.name, "password": "correct horse"})
    for address in (home, ada.address):
        ada.address = address
        assert (await ada.get("/rooms")).code == 200
    server.stop()
    await server.close_all_connections()


async def test_cookies_have_no_name_that_other_programs_give_theirs(ada: Visitor) -> None:
    others = {"session": "somebody-elses", "_xsrf": "x", "sid": "x", "token": "x"}
    assert not set(ada.cookies) & set(others)
    ada.cookies |= others
    assert (await ada.get("/rooms")).code == 200


async def test_who_has_the_sessions_cookie_of_an_earlier_release_stays_signed_in(ada: Visitor, chat: Chat) -> None:
    secret = chat.application.settings["cookie_secret"]
    assert ada.session is not None
    kept = decode_signed_value(secret, ada.session, ada.cookies[ada.session].strip('"'))
    assert kept is not None
    ada.cookies = {"session": create_signed_value(secret, "session", kept).decode()}
    assert (await ada.get("/rooms")).code == 200
    assert ada.session is not None
    del ada.cookies["session"]
    assert (await ada.get("/rooms")).code == 200
