"""Requests that change something come from this site, if they come from a browser: signed in or not, whatever the token."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from tornado.httpclient import HTTPResponse

from tests.helpers.browserless import Visitor, read
from tests.helpers.ways_to_ask import Sending

pytestmark = [pytest.mark.gen_test, pytest.mark.one_chat]

REFUSED = (403, {"error": "invalid csrf token"})


def elsewhere(address: str) -> list[dict[str, str]]:
    """What a browser says about a request that comes from another site than this address."""
    parts = urlsplit(address)
    port = parts.port or 80
    origins = ["null", "http://evil.test", f"http://127.0.0.1:{port + 1}", "http://127.0.0.1", f"http://127.0.0.1.evil.test:{port}",
               f"http://evil.test:{port}", f"http://127.0.0.1:{port}@evil.test", f"{address}, {address}", f"{address}/", f"{address}.",
               f"http://localhost:{port}", f"ftp://127.0.0.1:{port}", f"//127.0.0.1:{port}", "http://", "x", "http://[::1", f"http://127.0.0.1:{'9' * 9}"]  # fmt: skip
    sites = ["cross-site", "same-site", "Same-Origin", "same-origin,cross-site", "x"]
    return [{"Origin": origin} for origin in origins] + [
        {"Sec-Fetch-Site": site, **origin} for site in sites for origin in ({}, {"Origin": address})
    ]


async def test_no_page_of_another_site_changes_anything(ada: Visitor, room: int) -> None:
    requests: list[tuple[str, str, Sending]] = [
        ("POST", "/messages", {"json_body": {"room_id": room, "content": "forged"}}),
        ("POST", "/messages", {"form": {"room_id": str(room), "content": "forged", "_xsrf": str(ada.token)}}),
        ("PUT", f"/rooms/{room}/read", {"json_body": {"id": "1-1"}}),
        ("PATCH", f"/rooms/{room}/messages/1-1", {"json_body": {"content": "forged"}}),
        ("DELETE", f"/rooms/{room}", {}),
        ("POST", "/sign-out", {"json_body": {}}),
    ]
    for headers in elsewhere(ada.address):
        for method, path, options in requests[:2]:
            response = await ada.fetch(method, path, headers=headers, **options)
            assert (response.code, read(response)) == REFUSED, headers
    for method, path, options in requests:
        response = await ada.fetch(method, path, headers={"Origin": "http://evil.test"}, **options)
        assert (response.code, read(response)) == REFUSED, path
    assert (await ada.page(room))["messages"] == []


async def test_no_page_of_another_site_signs_somebody_in_or_up(ada: Visitor, visit: Callable[..., Visitor]) -> None:
    credentials = {"name": ada.name, "password": "correct horse"}
    ways: list[Sending] = [{"form": credentials}, {"json_body": credentials}]
    for path in ("/sign-in", "/sign-up"):
        for options in ways:
            visitor = visit()
            for headers in elsewhere(ada.address):
                response = await visitor.fetch("POST", path, headers=headers, **options)
                assert (response.code, read(response)) == REFUSED
            assert visitor.session is None


@pytest.mark.parametrize("said", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "", "Origin": ""}, {"Origin": "{}"}, {"Sec-Fetch-Site": "none", "Origin": "null"}])  # fmt: skip
async def test_our_own_pages_and_programs_do(ada: Visitor, room: int, said: dict[str, str]) -> None:
    headers = {name: value.format(ada.address) for name, value in said.items()}
    response: HTTPResponse = await ada.fetch(
        "POST", "/messages", json_body={"room_id": room, "content": "x"}, headers=headers
    )
    assert response.code == 201


@pytest.mark.parametrize(("origin", "host"), [("https://chat.example", "chat.example"), ("https://chat.example", "CHAT.example:443"), ("http://chat.example", "chat.example:80"), ("https://chat.example:8443", "chat.example:8443"), ("http://[::1]:8000", "[::1]:8000"), ("http://[::1]", "[::1]")])  # fmt: skip
async def test_ports_that_need_not_be_said_and_ipv6_are_understood(
    ada: Visitor, room: int, origin: str, host: str
) -> None:
    headers = {"Origin": origin, "Host": host}
    response = await ada.fetch("POST", "/messages", json_body={"room_id": room, "content": "x"}, headers=headers)
    assert response.code == 201


async def test_reading_is_open_to_links_from_anywhere(ada: Visitor) -> None:
    assert (await ada.get("/chat", headers={"Sec-Fetch-Site": "cross-site"})).code == 200
