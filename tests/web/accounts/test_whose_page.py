"""A page acts for its own user only: whoever says whose page asks is refused where the session is another's."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from tornado.httpclient import HTTPResponse
from tornado.ioloop import IOLoop

from tests.helpers.browserless import Visitor, read
from tests.helpers.html_page import read_page

pytestmark = [pytest.mark.gen_test, pytest.mark.one_chat]

REFUSED = (409, {"error": "signed in as somebody else"})
BROWSER = {"Accept": "text/html"}


@pytest.fixture
def grace(io_loop: IOLoop, visit: Callable[..., Visitor]) -> Visitor:
    visitor = visit()
    io_loop.run_sync(visitor.sign_up)
    return visitor


def answer(response: HTTPResponse) -> tuple[int, Any]:
    return response.code, read(response)


async def of_each_route(visitor: Visitor, room: int, said: str, **headers: str) -> dict[str, HTTPResponse]:
    """What the contract's routes answer to a page of the user `said`."""
    message = f"/rooms/{room}/messages/1-1"
    routes: list[tuple[str, str, Any]] = [
        ("GET", "/rooms", None),
        ("POST", "/rooms", {"name": uuid.uuid4().hex}),
        ("DELETE", f"/rooms/{room}", None),
        ("GET", f"/rooms/{room}/messages", None),
        ("GET", f"/rooms/{room}/presence", None),
        ("POST", f"/rooms/{room}/typing", None),
        ("PUT", f"/rooms/{room}/read", {"id": "1-1"}),
        ("POST", "/messages", {"room_id": room, "content": "not mine"}),
        ("GET", message, None),
        ("PATCH", message, {"content": "not mine"}),
        ("DELETE", message, None),
        ("PUT", f"{message}/reactions/%F0%9F%91%8D", None),
        ("DELETE", f"{message}/reactions/%F0%9F%91%8D", None),
        ("GET", "/search?q=word", None),
        ("GET", "/csrf", None),
        ("GET", f"/chat/stream?room={room}", None),
        ("POST", "/sign-out", None),
    ]
    return {
        f"{method} {path}": await visitor.fetch(method, path, json_body=body, headers={"X-User": said, **headers})
        for method, path, body in routes
    }


async def test_no_route_does_or_tells_anything_to_a_page_of_somebody_else(
    ada: Visitor, grace: Visitor, room: int
) -> None:
    before = await ada.page(room)
    for route, response in (await of_each_route(grace, room, str(ada.id))).items():
        assert answer(response) == REFUSED, route
    assert await ada.page(room) == before
    assert (await grace.get("/rooms")).code == 200  # still signed in


@pytest.mark.parametrize("said", ["", " ", "0", "-1", "x", "07", "1 2", "\u00e9", "9" * 400])
async def test_who_says_something_that_is_no_user_is_somebody_else(ada: Visitor, said: str) -> None:
    assert answer(await ada.get("/rooms", headers={"X-User": said})) == REFUSED
    for padded in (f"0{ada.id}", f"+{ada.id}", f"{ada.id}, {ada.id}", f"{ada.id}.0"):
        assert answer(await ada.get("/rooms", headers={"X-User": padded})) == REFUSED


async def test_the_users_own_page_is_answered_as_one_that_says_nothing(ada: Visitor, room: int) -> None:
    own = {"X-User": str(ada.id)}
    assert (await ada.get("/rooms", headers=own)).body == (await ada.get("/rooms")).body
    body = {"room_id": room, "content": "mine"}
    assert (await ada.fetch("POST", "/messages", json_body=body, headers=own)).code == 201
    assert (await ada.post(room, "and mine")).code == 201


async def test_a_form_says_it_in_a_field(ada: Visitor, grace: Visitor, room: int) -> None:
    form = {"room_id": str(room), "content": "hers", "_xsrf": await grace.get_csrf(), "user": str(ada.id)}
    response = await grace.fetch("POST", "/messages", form=form)
    assert answer(response) == REFUSED
    shown = await grace.fetch("POST", "/messages", form=form, headers=BROWSER)
    assert (shown.code, read_page(shown).one("h1").text) == (409, "Somebody else is signed in")
    assert (await ada.page(room))["messages"] == []
    assert (await grace.fetch("POST", "/messages", form=form | {"user": str(grace.id)})).code == 303


async def test_every_form_of_a_page_says_whose_it_is(ada: Visitor, room: int) -> None:
    for path in ("/chat", f"/chat/{room}", "/search?q=word"):
        page = read_page(await ada.get(path, headers=BROWSER))
        assert page.one("meta", name="user")["content"] == str(ada.id)
        forms = page.all("form", method="post")
        assert forms
        for form in forms:
            assert {each["value"] for each in page.within(form, "input") if each["name"] == "user"} == {str(ada.id)}


async def test_a_stream_says_it_in_its_address_and_is_refused_before_it_starts(
    ada: Visitor, grace: Visitor, room: int
) -> None:
    refused = await grace.get(f"/chat/stream?room={room}&user={ada.id}")
    assert answer(refused) == REFUSED
    for users in (f"user={ada.id}&user={grace.id}", "user=", "user=%ff"):
        assert answer(await grace.get(f"/chat/stream?room={room}&{users}")) == REFUSED
    assert (await grace.fetch("HEAD", f"/chat/stream?room={room}&user={ada.id}")).code == 409
    stream = await grace.stream(room, user=grace.id)
    assert stream.status == 200


async def test_who_is_signed_out_is_asked_to_sign_in_whatever_the_page_says(
    ada: Visitor, room: int, visit: Callable[..., Visitor]
) -> None:
    nobody = visit()
    assert answer(await nobody.get("/rooms", headers={"X-User": str(ada.id)})) == (401, {"error": "sign in first"})
    assert answer(await nobody.get(f"/chat/stream?room={room}&user={ada.id}")) == (401, {"error": "sign in first"})


async def test_a_wrong_token_does_not_hide_that_somebody_else_is_signed_in(ada: Visitor, grace: Visitor) -> None:
    headers = {"X-User": str(ada.id), "X-CSRF-Token": "of another page"}
    assert answer(await grace.fetch("POST", "/rooms", json_body={"name": "x"}, headers=headers)) == REFUSED


async def test_a_parameter_called_user_means_something_else_to_other_routes(ada: Visitor) -> None:
    assert (await ada.get("/rooms?user=0")).code == 200
