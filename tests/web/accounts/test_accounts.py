"""Accounts: signing up, in and out, what the session's cookie is like, and where a form leads."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from http.cookies import Morsel, SimpleCookie
from typing import Any
from urllib.parse import quote

import pymongo
import pytest
from argon2 import PasswordHasher
from tornado.httpclient import HTTPResponse

from chatserver.web.page_text import as_sentence
from tests.conftest import World
from tests.helpers.browserless import Visitor, read
from tests.helpers.html_page import read_page
from tests.helpers.server_process import ServerProcess

pytestmark = [pytest.mark.gen_test, pytest.mark.one_chat]

PASSWORD = "correct horse"


def somebody() -> str:
    return f"somebody {uuid.uuid4().hex}"


def session_cookie(response: HTTPResponse) -> Morsel[str]:
    (line,) = [line for line in response.headers.get_list("Set-Cookie") if "-session-" in line.partition("=")[0]]
    (morsel,) = SimpleCookie(line).values()
    return morsel


async def account(visitor: Visitor, path: str, name: Any, password: Any = PASSWORD, **options: Any) -> HTTPResponse:
    return await visitor.fetch("POST", path, json_body={"name": name, "password": password}, **options)


# Signing up


async def test_signing_up_signs_in(visit: Callable[..., Visitor]) -> None:
    visitor, name = visit(), somebody()
    await visitor.get_csrf()
    response = await account(visitor, "/sign-up", name)
    user = read(response)["user"]
    assert (response.code, read(response)) == (201, {"user": {"id": user["id"], "name": name}})
    assert isinstance(user["id"], int)
    assert (await visitor.get("/rooms")).code == 200


async def test_a_client_without_a_page_gets_a_token_and_the_cookie_that_goes_with_it(
    visit: Callable[..., Visitor],
) -> None:
    response = await visit().get("/csrf")
    assert set(read(response)) == {"csrf_token"}
    assert response.headers["Cache-Control"] == "no-store"
    (cookie,) = SimpleCookie(response.headers["Set-Cookie"]).values()
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


@pytest.mark.parametrize(
    ("first", "second"),
    [("Grace", "grace"), ("Grace", "GRACE"), ("Straße", "STRASSE"), ("é", "e\u0301"), ("fi", "ﬁ")],
)  # fmt: skip
async def test_a_name_is_somebody_elses_whatever_its_case(
    visit: Callable[..., Visitor], first: str, second: str
) -> None:
    mark = uuid.uuid4().hex
    assert (await account(visit(), "/sign-up", f"{first} {mark}")).code == 201
    response = await account(visit(), "/sign-up", f" {second} {mark} ")
    assert (response.code, read(response)) == (409, {"error": "that name is taken"})


async def test_of_two_with_one_name_at_the_same_moment_one_gets_it(visit: Callable[..., Visitor]) -> None:
    name = somebody()
    answers = await asyncio.gather(*[account(visit(), "/sign-up", name) for _ in range(5)])
    assert sorted(answer.code for answer in answers) == [201, 409, 409, 409, 409]


async def test_a_name_has_1_to_64_characters_that_can_be_seen(visit: Callable[..., Visitor]) -> None:
    mark = uuid.uuid4().hex
    for good in ("x" * 32 + mark, "🎉" * 32 + mark, f"  {mark}a  ", f"<b>{mark}</b>", f"د {mark}"):
        response = await account(visit(), "/sign-up", good)
        assert (response.code, read(response)["user"]["name"]) == (201, good.strip())
    for bad in ("", "   ", "x" * 65, "a\nb", "a\0b", "a\u2028b", "\u200b", "\u00a0"):
        response = await account(visit(), "/sign-up", bad)
        assert (response.code, set(read(response))) == (422, {"error"}), ascii(bad)


async def test_a_password_has_8_characters_or_more(visit: Callable[..., Visitor]) -> None:
    for good in ("x 7 y 8 ", "🎉" * 8, "       x", "nul\0inside", "x" * 1000):
        visitor, name = visit(), somebody()
        assert (await account(visitor, "/sign-up", name, good)).code == 201
        assert (await account(visit(), "/sign-in", name, good)).code == 200
    for bad in ("", "x" * 7, "🎉" * 7, "x" * 1001):
        assert (await account(visit(), "/sign-up", somebody(), bad)).code == 422


@pytest.mark.parametrize("path", ["/sign-up", "/sign-in"])
async def test_what_is_no_name_and_password_is_malformed(visit: Callable[..., Visitor], path: str) -> None:
    bodies: list[Any] = [{}, [], "x", 7, {"name": "x"}, {"password": PASSWORD}]
    bodies += [{"name": value, "password": PASSWORD} for value in (None, 7, True, ["x"], {"$ne": ""})]
    bodies += [{"name": "x", "password": value} for value in (None, 7, True, ["x"], {"$ne": ""})]
    for body in bodies:
        response = await visit().fetch("POST", path, json_body=body)
        assert (response.code, read(response)) == (400, {"error": "name and password required"}), body


async def test_the_database_keeps_a_hash_of_the_password_and_of_the_cookie(ada: Visitor, world: World) -> None:
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(world.mongod.uri)
    with client:
        database = client.get_default_database()
        user = database["users"].find_one({"_id": ada.id})
        sessions = list(database["sessions"].find({"user_id": ada.id}))
    assert user is not None
    assert user["password"].startswith("$argon2id$")
    PasswordHasher().verify(user["password"], PASSWORD)
    assert PASSWORD not in repr(user)
    assert len(sessions) == 1
    assert str(sessions[0]["_id"]) not in "".join(ada.cookies.values())
    assert "expires_at" in sessions[0]


# Signing in


async def test_signing_in(ada: Visitor, visit: Callable[..., Visitor]) -> None:
    elsewhere = visit()
    for name in (ada.name, ada.name.upper(), f" {ada.name} "):
        response = await account(elsewhere, "/sign-in", name)
        assert (response.code, read(response)) == (200, {"user": {"id": ada.id, "name": ada.name}})
        elsewhere = visit()
    assert (await ada.get("/rooms")).code == 200


async def test_a_wrong_password_and_an_unknown_name_are_answered_alike(
    ada: Visitor, visit: Callable[..., Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And after the same work: a hash is verified either way, with the same parameters."""
    verified: list[str] = []
    verify = PasswordHasher.verify

    def watched(self: PasswordHasher, hash: str, password: str) -> bool:
        verified.append(hash.rsplit("$", 2)[0])
        return bool(verify(self, hash, password))

    monkeypatch.setattr(PasswordHasher, "verify", watched)
    visitor = visit()
    answers = [
        await account(visitor, "/sign-in", ada.name, "wrong password"),
        await account(visitor, "/sign-in", somebody(), "wrong password"),
    ]
    for answer in answers:
        assert (answer.code, read(answer)) == (401, {"error": "wrong name or password"})
        assert visitor.session is None
    assert [{**answer.headers, "Date": ""} for answer in answers[:1]] == [{**answers[1].headers, "Date": ""}]
    assert len(verified) == 2
    assert verified[0] == verified[1]


async def test_the_password_is_taken_to_the_letter(ada: Visitor, visit: Callable[..., Visitor]) -> None:
    for wrong in (PASSWORD.upper(), f" {PASSWORD}", f"{PASSWORD} ", PASSWORD[:-1], f"{PASSWORD}\0", "", "x" * 60_000):
        assert (await account(visit(), "/sign-in", ada.name, wrong)).code == 401


# The session


async def test_the_cookie_is_for_the_server_alone_and_secure_behind_https(
    ada: Visitor, start_server: Callable[..., ServerProcess], visit: Callable[..., Visitor]
) -> None:
    https = {"X-Forwarded-Proto": "https"}
    plain = session_cookie(await account(visit(), "/sign-in", ada.name, headers=https))
    assert (plain["httponly"], plain["samesite"], plain["path"], plain["secure"]) == (True, "Lax", "/", "")
    assert plain["expires"]
    behind = visit(start_server(TRUSTED_PROXIES="1").address)
    secure = session_cookie(await account(behind, "/sign-in", ada.name, headers=https))
    assert (secure["httponly"], secure["samesite"], secure["secure"]) == (True, "Lax", True)


@pytest.mark.parametrize("change", [lambda c: c[:-1], lambda c: c.replace("-session-", "-sessiom-"), lambda c: "", lambda c: "2|1:0|x", lambda c: "é"])  # fmt: skip
async def test_a_cookie_that_was_changed_opens_nothing(ada: Visitor, change: Callable[[str], str]) -> None:
    assert ada.session is not None
    cookie = change(ada.cookies[ada.session])
    response = await ada.get("/rooms", headers={"Cookie": f"{ada.session}={cookie}"})
    assert (response.code, read(response)) == (401, {"error": "sign in first"})


async def test_signing_out_ends_the_session_on_the_server_too(ada: Visitor) -> None:
    kept = dict(ada.cookies)
    response = await ada.fetch("POST", "/sign-out", json_body={})
    assert (response.code, response.body) == (204, b"")
    assert session_cookie(response).value == ""
    ada.cookies = kept
    response = await ada.get("/rooms")
    assert (response.code, read(response)) == (401, {"error": "sign in first"})


async def test_signing_out_tells_the_browser_to_forget_its_cache_and_nothing_of_other_users(ada: Visitor) -> None:
    response = await ada.fetch("POST", "/sign-out", json_body={})
    assert response.headers["Clear-Site-Data"] == '"cache"'


async def test_who_keeps_no_cookies_is_told_so(ada: Visitor, visit: Callable[..., Visitor]) -> None:
    """Before the password is looked at, where the form shows it; or else where the way leads back to the form."""
    nobody = visit()
    page = read_page(await nobody.get("/sign-in?next=/chat"))
    hidden = {
        each["name"]: each["value"] for each in page.within(page.one("form"), "input") if "value" in each.attributes
    }
    form = {name: hidden[name] for name in ("_xsrf", "next")} | {"name": ada.name, "password": PASSWORD}
    nobody.cookies.clear()
    response = await nobody.fetch("POST", "/sign-in", form=form)
    assert (response.code, "cookies" in read_page(response).one("p", role="alert").text) == (403, True)
    nobody.cookies.clear()
    response = await nobody.fetch("POST", "/sign-in", form={"name": ada.name, "password": PASSWORD})
    assert (response.code, response.headers["Location"]) == (303, "/chat")
    nobody.cookies.clear()
    response = await nobody.get("/chat")
    assert "allow cookies" in str((await nobody.get(response.headers["Location"])).body)
    # Who does keep them hears nothing of it.
    again = visit()
    await again.get("/sign-in?next=/chat")
    assert "allow cookies" not in str((await again.get("/sign-in?next=/chat")).body)
    assert (await again.fetch("POST", "/sign-in", form=form)).code == 303


async def test_signing_out_ends_one_session_and_not_the_others(ada: Visitor, visit: Callable[..., Visitor]) -> None:
    elsewhere = visit()
    await account(elsewhere, "/sign-in", ada.name)
    assert (await ada.fetch("POST", "/sign-out", json_body={})).code == 204
    assert (await elsewhere.get("/rooms")).code == 200


async def test_signing_in_anew_ends_the_session_before(ada: Visitor) -> None:
    kept = dict(ada.cookies)
    assert (await account(ada, "/sign-in", ada.name)).code == 200
    assert ada.session is not None
    assert ada.cookies[ada.session] != kept[ada.session]
    assert (await ada.get("/rooms")).code == 200
    ada.cookies = kept
    assert (await ada.get("/rooms")).code == 401


async def test_signed_out_nobody_signs_out(visit: Callable[..., Visitor]) -> None:
    response = await visit().fetch("POST", "/sign-out", json_body={})
    assert (response.code, read(response)) == (401, {"error": "sign in first"})


# Forms


async def test_the_forms_lead_in_and_out(visit: Callable[..., Visitor]) -> None:
    visitor, name = visit(), somebody()
    for path in ("/sign-up", "/sign-in"):
        form = {"name": name, "password": PASSWORD, "_xsrf": await visitor.get_csrf()}
        response = await visitor.fetch("POST", path, form=form)
        assert (response.code, response.headers["Location"]) == (303, "/chat")
        assert (await visitor.get("/rooms")).code == 200
        response = await visitor.fetch("POST", "/sign-out", form={"_xsrf": await visitor.get_csrf()})
        assert (response.code, response.headers["Location"]) == (303, "/sign-in")
        assert (await visitor.get("/rooms")).code == 401


@pytest.mark.parametrize(
    ("path", "password", "status", "error"),
    [
        ("/sign-up", PASSWORD, 409, "that name is taken"),
        ("/sign-up", "short", 422, "a password has at least 8 characters"),
        ("/sign-in", "wrong password", 401, "wrong name or password"),
        ("/sign-in", None, 400, "name and password required"),
    ],
)
async def test_a_form_that_fails_is_shown_again_with_the_error(
    ada: Visitor, visit: Callable[..., Visitor], path: str, password: str | None, status: int, error: str
) -> None:
    form = {"name": ada.name, "next": "/chat/7"} | ({} if password is None else {"password": password})
    response = await visit().fetch("POST", path, form=form)
    page = read_page(response)
    assert response.code == status
    assert page.one("p", role="alert").text == as_sentence(error)
    assert page.one("form")["action"] == path
    assert page.one("input", name="name")["value"] == ada.name
    assert page.one("input", name="next")["value"] == "/chat/7"
    assert "value" not in page.one("input", name="password").attributes
    assert password is None or password not in response.body.decode()


@pytest.mark.parametrize("path", ["/sign-up", "/sign-in"])
async def test_who_is_signed_in_already_is_sent_on(ada: Visitor, path: str) -> None:
    response = await ada.get(f"{path}?next=/chat/7")
    assert (response.code, response.headers["Location"]) == (302, "/chat/7")


@pytest.mark.parametrize("ours", ["/chat/7", "/chat/7?before=1-0", "/", "/chat/7#m-1", "/a:b", "/x?u=http://elsewhere.example/"])  # fmt: skip
async def test_next_leads_to_a_path_of_this_site(ada: Visitor, ours: str) -> None:
    response = await ada.get(f"/sign-in?next={quote(ours)}")
    assert response.headers["Location"] == ours


HOSTILE = [
    "//elsewhere.example", "///elsewhere.example", "/\\elsewhere.example", "\\\\elsewhere.example", "/\\/elsewhere.example",
    "http://elsewhere.example", "https:elsewhere.example", "http:/elsewhere.example", "HTTP://elsewhere.example",
    "javascript:alert(1)", "data:text/html,x", "elsewhere.example", "chat", "", " //elsewhere.example", "?x", "#x",
    "/\t/elsewhere.example", "/\n/elsewhere.example", "/\r/elsewhere.example", "\t//elsewhere.example", "/\x00/elsewhere.example\n",
    "/chat\r\nSet-Cookie: session=stolen", "/chat\nX: y", "//[", "//[::1", "http://[", "//elsewhere\u2100.example", "/\u2028/elsewhere.example",
    "//user@elsewhere.example", "//elsewhere.example:80/chat", "/\u00a0/elsewhere\u0085",
]  # fmt: skip


async def test_next_leads_to_no_other_site(ada: Visitor, visit: Callable[..., Visitor]) -> None:
    """Neither by the address of the page, nor by its form."""
    stranger = visit()
    for hostile in HOSTILE:
        page = read_page(await stranger.get(f"/sign-in?next={quote(hostile)}"))
        answers = [await ada.get(f"{path}?next={quote(hostile)}") for path in ("/sign-in", "/sign-up")]
        assert [answer.code for answer in answers] == [302, 302], ascii(hostile)
        for leads_to in [page.one("input", name="next")["value"], *(answer.headers["Location"] for answer in answers)]:
            assert is_harmless(leads_to), ascii(hostile)
        for answer in answers:
            assert "X" not in answer.headers
            assert "stolen" not in "".join(answer.headers.get_list("Set-Cookie"))


@pytest.mark.parametrize("hostile", ["//elsewhere.example", "///elsewhere.example", "/\\elsewhere.example", "/\t/elsewhere.example"])  # fmt: skip
async def test_next_in_a_form_leads_to_no_other_site(ada: Visitor, visit: Callable[..., Visitor], hostile: str) -> None:
    form = {"name": ada.name, "password": PASSWORD, "next": hostile}
    response = await visit().fetch("POST", "/sign-in", form=form)
    assert (response.code, response.headers["Location"]) == (303, "/chat")


def is_harmless(path: str) -> bool:
    """A browser drops tabs and line ends, and takes a backslash for a slash, before it looks for another host."""
    read_as = path.translate({ord(dropped): None for dropped in "\t\r\n"}).replace("\\", "/").strip()
    return read_as.startswith("/") and not read_as.startswith("//")
