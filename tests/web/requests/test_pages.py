"""The pages: who sees which, that nothing written by people is ever taken for HTML, and how they are protected."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from urllib.parse import quote

import pytest
from tornado.httpclient import HTTPResponse

from chatserver.app import Chat
from chatserver.errors import Unavailable
from tests.helpers.browserless import Visitor, read
from tests.helpers.html_page import Element, Page, read_page

pytestmark = [pytest.mark.gen_test, pytest.mark.one_chat]

HOSTILE = [
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onclick='alert(1)", "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>", "{{ 1 + 1 }}", "{% raw user %}", "&lt;b&gt;&amp;", "<!--", "]]>", "<svg/onload=alert(1)>",
    "javascript:alert(1)", "`${1}`", "%3Cscript%3E", "a\u202eb",
]  # fmt: skip
"""Each fits into a name, but for what turns the direction."""


async def all_pages(ada: Visitor, nobody: Visitor, room: int) -> list[HTTPResponse]:
    browser = {"Accept": "text/html"}
    form = {"name": "x", "password": "x"}
    return [
        await nobody.get("/sign-in"),
        await nobody.get("/sign-up"),
        await nobody.fetch("POST", "/sign-in", form=form),
        await nobody.get("/nothing", headers=browser),
        await ada.get("/chat"),
        await ada.get(f"/chat/{room}"),
        await ada.get("/chat/0"),
        await ada.get("/nothing", headers=browser),
        await ada.fetch("POST", "/rooms", form={"_xsrf": await ada.get_csrf()}),
        await ada.fetch("POST", "/rooms", form={"_xsrf": "wrong"}, headers=browser),
        await ada.fetch("PUT", "/chat", body=b"", headers=browser),
    ]


# Who sees what


async def test_signed_out_the_way_leads_to_the_sign_in_page_and_back(visit: Callable[..., Visitor], room: int) -> None:
    nobody = visit()
    for path in ("/chat", f"/chat/{room}", f"/chat/{room}?before=1-0&x=%2F", "/chat/0", "/chat/x"):
        response = await nobody.get(path)
        assert (response.code, response.headers["Location"]) == (302, f"/sign-in?next={quote(path, safe='')}")
        page = read_page(await nobody.get(response.headers["Location"]))
        assert page.one("input", name="next")["value"] == path
        other = page.one("a")["href"]
        assert read_page(await nobody.get(other)).one("input", name="next")["value"] == path


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_the_root_leads_to_the_rooms(ada: Visitor, visit: Callable[..., Visitor], method: str) -> None:
    for visitor in (ada, visit()):
        response = await visitor.fetch(method, "/")
        assert (response.code, response.headers["Location"]) == (302, "/chat")


async def test_the_forms_of_the_doors_work_without_a_script(visit: Callable[..., Visitor]) -> None:
    for path in ("/sign-up", "/sign-in"):
        response = await visit().get(path)
        page = read_page(response)
        assert response.code == 200
        assert (page.one("form")["method"], page.one("form")["action"]) == ("post", path)
        names = {field["name"] for field in page.all("input")}
        assert names - {"client_id"} == {"name", "password", "next", "_xsrf"}
        assert page.one("input", name="password")["type"] == "password"
        assert page.all("meta", name="csrf-token") == []


async def test_the_rooms_stand_by_name_and_link_to_their_pages(ada: Visitor) -> None:
    mark = uuid.uuid4().hex
    made = {name: await ada.make_room(f"{mark} {name}") for name in ("b", "A", "c")}
    page = read_page(await ada.get("/chat"))
    links = [link for link in page.all("a") if mark in link.text]
    assert [link["href"] for link in links] == [f"/chat/{made[name]}" for name in ("A", "b", "c")]
    form = page.one("form", action="/rooms")
    assert form["method"] == "post"
    assert {field["name"] for field in page.within(form, "input")} == {"name", "_xsrf", "client_id", "user"}


async def test_a_room_shows_its_messages_as_the_contract_says(ada: Visitor, room: int) -> None:
    said = [await ada.say(room, text) for text in ("first", "second\nline", "third")]
    response = await ada.get(f"/chat/{room}")
    page = read_page(response)
    assert response.code == 200
    rows = page.within(page.one("ul", id="messages"), "li")
    assert [row["data-id"] for row in rows] == [message["id"] for message in said]
    for row, message in zip(rows, said, strict=True):
        assert [each.text for each in page.within(row, "strong")] == [message["user_name"]]
        assert [each.text for each in page.within(row, "span")] == [message["content"]]
    form = page.one("form", id="message-form")
    assert (form["method"], form["action"]) == ("post", "/messages")
    (content,) = page.within(form, "textarea")
    assert (content["id"], content["name"], content["maxlength"]) == ("content", "content", "2000")
    assert {field["name"]: field["value"] for field in page.within(form, "input")}["room_id"] == str(room)


async def test_every_page_of_somebody_signed_in_has_a_token_that_works(ada: Visitor, room: int) -> None:
    for path in ("/chat", f"/chat/{room}", "/chat/0"):
        page = read_page(await ada.get(path))
        token = page.one("meta", name="csrf-token")["content"]
        headers = {"X-CSRF-Token": token}
        response = await ada.fetch("POST", "/rooms", json_body={"name": ""}, headers=headers, token=False)
        assert response.code == 422


@pytest.mark.parametrize("room_id", ["0", "999999", "x", "-1", "9" * 30])
async def test_an_unknown_room_is_the_404_page(ada: Visitor, room_id: str) -> None:
    for accept in ("text/html", "*/*"):
        response = await ada.get(f"/chat/{room_id}", headers={"Accept": accept})
        assert (response.code, read_page(response).one("h1").text) == (404, "Page not found")
    response = await ada.get(f"/chat/{room_id}", headers={"Accept": "application/json"})
    assert (response.code, read(response)) == (404, {"error": "room not found"})


async def test_head_answers_as_get_does_without_the_page(ada: Visitor, room: int) -> None:
    for path in ("/chat", f"/chat/{room}", "/chat/0", "/sign-in"):
        response, page = await ada.fetch("HEAD", path), await ada.get(path)
        assert (response.code, response.body) == (page.code, b"")


# The cursor, and reading back without JavaScript


async def test_the_cursor_of_the_page_is_the_newest_id(ada: Visitor, room: int) -> None:
    page = read_page(await ada.get(f"/chat/{room}"))
    assert page.one("ul", id="messages")["data-cursor"] == "0-0"
    for number in range(3):
        said = await ada.say(room, str(number))
        page = read_page(await ada.get(f"/chat/{room}"))
        assert page.one("ul", id="messages")["data-cursor"] == said["id"]
    stream = await ada.stream(room, after=page.one("ul", id="messages")["data-cursor"])
    later = await ada.say(room, "later")
    assert await stream.message() == later


async def test_older_messages_are_a_link_away(ada: Visitor, room: int) -> None:
    """Followed to the room's beginning, every message was shown once."""
    said = [(await ada.say(room, str(number)))["id"] for number in range(120)]
    seen: list[str] = []
    path, pages = f"/chat/{room}", 0
    while True:
        page = read_page(await ada.get(path))
        pages += 1
        seen = [row["data-id"] for row in rows_of(page)] + seen
        older = page.one("a", id="older")
        assert bool(page.all("p", id="elsewhere")) == (pages > 1)
        if "href" not in older.attributes:
            break
        path = older["href"]
    assert (pages, seen) == (3, said)
    assert "hidden" in older.attributes
    assert page.within(page.one("p", id="elsewhere"), "a")[0]["href"] == f"/chat/{room}?at=end"


@pytest.mark.parametrize("before", ["", "x", "1-2-3", "%00", "-1", "9" * 400, "%F0%9F%8E%89"])
async def test_an_address_that_was_cut_off_shows_the_newest(ada: Visitor, room: int, before: str) -> None:
    said = await ada.say(room, "newest")
    response = await ada.get(f"/chat/{room}?before={before}")
    assert response.code == 200
    assert [row["data-id"] for row in rows_of(read_page(response))] == [said["id"]]


def rows_of(page: Page) -> list[Element]:
    return page.within(page.one("ul", id="messages"), "li")


# What people write is text


async def test_hostile_words_are_shown_as_words(visit: Callable[..., Visitor]) -> None:
    mark = uuid.uuid4().hex[:8]
    for hostile in HOSTILE:
        mallory = visit()
        name = f"{hostile} {mark}".replace("\u202e", "")
        await mallory.sign_up(name)
        room = await mallory.make_room(name)
        said = await mallory.say(room, f"{hostile}\n{hostile}")
        page = read_page(await mallory.get(f"/chat/{room}"))
        (row,) = rows_of(page)
        assert [each.text for each in page.within(row, "strong")] == [mallory.name]
        assert [each.text for each in page.within(row, "span")] == [said["content"]]
        assert page.one("main")["data-room-name"] == mallory.name
        assert page.one("main")["data-user-name"] == mallory.name
        assert mallory.name in page.one("title").text
        rooms = read_page(await mallory.get("/chat"))
        assert mallory.name in [each.text for each in rooms.all("strong")]
        for each in (page, rooms):
            assert_nothing_runs(each)


async def test_hostile_words_come_back_as_words_in_forms(
    ada: Visitor, room: int, visit: Callable[..., Visitor]
) -> None:
    token = await ada.get_csrf()
    for hostile in HOSTILE:
        stranger = visit()
        form = {"name": hostile, "password": "x" * 7, "next": f"/{hostile}"}
        door = read_page(await stranger.fetch("POST", "/sign-up", form=form))
        assert door.one("input", name="name")["value"] == hostile
        assert door.one("input", name="next")["value"] in {f"/{hostile}", "/chat"}
        rooms = read_page(await ada.fetch("POST", "/rooms", form={"name": hostile * 81, "_xsrf": token}))
        assert rooms.one("input", id="room-name")["value"] == hostile * 81
        draft = hostile * 2000
        if len(quote(draft)) < 60_000:
            form = {"room_id": str(room), "content": draft, "_xsrf": token}
            assert read_page(await ada.fetch("POST", "/messages", form=form)).one("textarea").text == draft
        missing = read_page(await ada.get(f"/{quote(hostile)}", headers={"Accept": "text/html"}))
        for page in (door, rooms, missing):
            assert_nothing_runs(page)


def assert_nothing_runs(page: Page) -> None:
    """No script or style stands in the page itself, and none comes from anywhere but our files."""
    for element in page.elements:
        assert element.tag not in {"style", "iframe", "object", "embed", "base"}
        assert element.tag != "script" or (re.match(r"/static/v-", element["src"]) and not element.text.strip())
        for name, value in element.attributes.items():
            assert not name.startswith("on")
            assert name not in {"style", "srcdoc", "formaction"}
            if name in {"href", "src", "action"}:
                assert re.match(r"(/(?!/)|#)", value), value


async def test_no_page_has_a_script_or_a_style_of_its_own(ada: Visitor, room: int, visit: Callable[..., Visitor]) -> None:  # fmt: skip
    for response in await all_pages(ada, visit(), room):
        assert_nothing_runs(read_page(response))


# Headers


async def test_every_answer_is_protected(ada: Visitor, room: int, visit: Callable[..., Visitor]) -> None:
    nobody = visit()
    others = [
        await ada.get("/rooms"),
        await ada.get(f"/rooms/{room}/messages"),
        await ada.get("/nothing"),
        await ada.get("/csrf"),
        await ada.get("/healthz"),
        await ada.get("/readyz"),
        await ada.post(room, "x"),
        await ada.post(0, "x"),
        await ada.fetch("POST", "/rooms", body=b" " * 65_537),
        await ada.fetch("BREW", "/rooms", body=b""),
        await ada.get("/chat/%FF"),
        await nobody.get("/chat"),
        await nobody.get("/rooms"),
        await nobody.get("/static/v-0/nothing"),
        await nobody.get("/static/v-0/favicon.svg"),
    ]
    for response in [*await all_pages(ada, nobody, room), *others]:
        policy = {rule.split()[0]: rule.split()[1:] for rule in response.headers["Content-Security-Policy"].split(";")}
        assert policy["default-src"] == ["'self'"]
        for none in ("base-uri", "frame-ancestors", "object-src"):
            assert policy[none] == ["'none'"]
        assert policy["form-action"] == ["'self'"]
        assert "unsafe" not in response.headers["Content-Security-Policy"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "same-origin"
        assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "camera=()" in response.headers["Permissions-Policy"]
        assert policy["require-trusted-types-for"] == ["'script'"]
        assert policy["trusted-types"] == ["message-html"]
        assert "Server" not in response.headers
        assert "Access-Control-Allow-Origin" not in response.headers


async def test_nothing_that_depends_on_who_asks_is_kept_by_others(ada: Visitor, room: int, visit: Callable[..., Visitor]) -> None:  # fmt: skip
    answers = [*await all_pages(ada, visit(), room), await ada.get("/rooms"), await ada.get(f"/rooms/{room}/messages")]
    for response in answers:
        assert response.headers["Cache-Control"] == "no-store"


# Static files


async def test_the_files_of_a_page_may_be_kept_for_ever(ada: Visitor, room: int) -> None:
    page = read_page(await ada.get(f"/chat/{room}"))
    kinds = {
        "css": "text/css",
        "js": "text/javascript",
        "png": "image/png",
        "svg": "image/svg+xml",
        "webmanifest": "application/manifest+json",
    }
    addresses = {link["href"] for link in page.all("link")} | {script["src"] for script in page.all("script")}
    addresses |= {image["src"] for image in page.all("img")} | {use["href"].split("#")[0] for use in page.all("use")}
    assert len(addresses) > 6
    for address in addresses:
        response = await ada.get(address)
        assert (response.code, bool(response.body)) == (200, True), address
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert response.headers["Content-Type"].split(";")[0] == kinds[address.rsplit(".")[-1]]
        assert "Set-Cookie" not in response.headers
        again = await ada.get(address, headers={"If-None-Match": response.headers["Etag"]})
        assert (again.code, again.body or b"") == (304, b"")


async def test_a_file_under_the_address_of_another_release_is_not_kept(ada: Visitor) -> None:
    response = await ada.get("/static/v-0123456789ab/favicon.svg")
    assert response.code == 200
    assert "immutable" not in response.headers["Cache-Control"]


async def test_no_path_leads_out_of_the_static_folder(ada: Visitor) -> None:
    outside = [
        "../chatserver/app.py",
        "../../etc/passwd",
        "/etc/passwd",
        "css/../../setup.cfg",
        "..\\setup.cfg",
        "../static-old/x",
        "../README.md",
    ]
    paths = [*outside, *(quote(path, safe="") for path in outside), *(path.replace(".", "%2e") for path in outside)]
    paths += [
        "..%252f..%252fsetup.cfg",
        "%00",
        "favicon.svg%00.css",
        "css",
        "css/",
        ".",
        "..",
        "%FF",
        "x" * 5000,
        "~root",
    ]
    for path in paths:
        response = await ada.get(f"/static/v-0/{path}")
        assert response.code in {400, 403, 404}, path
        assert set(read(response)) == {"error"}


async def test_a_page_that_is_not_there_right_now_can_be_tried_again(
    chat: Chat, ada: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_: object) -> None:
        raise Unavailable(because="the archive is not available")

    monkeypatch.setattr(chat.services.room_list, "of", busy)
    response = await ada.get("/chat", headers={"Accept": "text/html"})
    page = read_page(response)
    assert (response.code, page.one("h1").text) == (503, "Something went wrong")
    assert [(each.text, each["href"]) for each in page.all("a")] == [("Try again", "")]
    assert b"archive" not in response.body
